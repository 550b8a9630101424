"""Lists of entries for tests."""

from collections.abc import Sequence

from hypothesis import strategies as st

from domain.playlists import Entry

AT_MS = 1_795_000_000_000


def entry(name: str, track_id: str | None = None) -> Entry:
    return Entry(name, track_id or f"t{name}", AT_MS, "ann")


def entries(names: str | Sequence[str]) -> list[Entry]:
    return [entry(name) for name in names]


def names(listed: Sequence[Entry]) -> str:
    return "".join(each.id for each in listed)


LETTERS = "abcdefghijklmnopqrstuvwxyz"


@st.composite
def seen_and_present(draw: st.DrawFn) -> tuple[list[Entry], list[Entry]]:
    """A version, and one that came of it: entries gone, moved and added."""
    seen = draw(st.lists(st.sampled_from(LETTERS), unique=True, max_size=12))
    left = draw(st.lists(st.sampled_from(seen), unique=True)) if seen else []
    added = draw(st.lists(st.sampled_from(LETTERS.upper()), unique=True, max_size=5))
    present = draw(st.permutations([*left, *added]))
    return entries(seen), entries(present)
