"""Questions of which the answer is known: what people type, and the track or the artist they mean.

Made from real catalogues, always the same for the same seed. Of each kind every second question is put
aside: nobody looks at those while tuning. Another entry of the same title and artist is as good.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from bench.rig.mistyped import misspelt, partial, respaced, unmarked
from domain.catalogue import EntityKind
from domain.search import Entry
from domain.titles import titles_of
from domain.words import words

SEED = 6
Answer = tuple[EntityKind, tuple[str, ...], tuple[str, ...]]

_FEATURED = re.compile(r"[(\[](?:feat\.?|ft\.?|featuring|with) ([^)\]&,]+)", re.IGNORECASE)
_OTHER_SCRIPT = re.compile(r"[\u0370-\u1fff\u2e80-\ud7ff]")
_MARKED = re.compile(r"[\u00c0-\u024f]")
_PUNCTUATED = re.compile(r"\w[-'’./&]\w|&|\w \w")


@dataclass(frozen=True, slots=True)
class Question:
    """What was typed, of which kind, and what is meant."""

    kind: str
    typed: str
    answer: Answer
    is_put_aside: bool


def answer_of(entry: Entry) -> Answer:
    """Tell what an entry is an answer to."""
    artist = words(entry.artists[0]) if entry.artists else ()
    return entry.kind, words(titles_of(entry.name)[1]), artist


def questions(
    tracks: Sequence[Entry], artists: Sequence[Entry], seed: int = SEED
) -> list[Question]:
    """Ask for some of *tracks* and *artists*, in every way."""
    others = [one for one in artists if _OTHER_SCRIPT.search(one.name)]
    asked = []
    for kind, (number, ask) in KINDS.items():
        random = Random(f"{seed} {kind}")  # noqa: S311 - nobody's secret
        among = _best_known(tracks) if kind.endswith("title alone") else tracks
        among = others if kind == "other script, artist" else among
        drawn = random.sample(among, len(among))
        typed = ((entry, text) for entry in drawn if (text := ask(random, entry)))
        asked += [
            Question(kind, text, answer_of(entry), at % 2 == 1)
            for at, (entry, text) in enumerate(islice(typed, number))
        ]
    return asked


def _best_known(entries: Sequence[Entry]) -> list[Entry]:
    """Keep of the tracks of one title the most popular: without an artist nobody can mean another."""
    best: dict[tuple[str, ...], Entry] = {}
    for entry in entries:
        title = words(titles_of(entry.name)[1])
        if title not in best or entry.popularity > best[title].popularity:
            best[title] = entry
    return list(best.values())


def _title(entry: Entry) -> str:
    return titles_of(entry.name)[1]


def _both(entry: Entry) -> str:
    return f"{_title(entry)} {entry.artists[0]}"


def _if_latin(ask: Callable[[Random, Entry], str | None]) -> Callable[[Random, Entry], str | None]:
    def asked(random: Random, entry: Entry) -> str | None:
        return None if _OTHER_SCRIPT.search(_both(entry)) else ask(random, entry)

    return asked


def _misspelt_both(random: Random, entry: Entry) -> str | None:
    title = misspelt(random, _title(entry))
    if title is None or random.random() < 0.5:
        return f"{title} {entry.artists[0]}" if title else None
    artist = misspelt(random, entry.artists[0])
    return f"{title} {artist}" if artist else None


def _partial(random: Random, entry: Entry) -> str | None:
    title = partial(random, _title(entry))
    return f"{entry.artists[0]} {title}" if title else None


def _folded(text: str) -> str | None:
    return unmarked(text) if _MARKED.search(text) else None


def _respaced_title(random: Random, entry: Entry) -> str | None:
    return respaced(random, _title(entry)) if _PUNCTUATED.search(_title(entry)) else None


def _respaced(random: Random, entry: Entry) -> str | None:
    title = _respaced_title(random, entry)
    return f"{title} {entry.artists[0]}" if title else None


def _respaced_artist(random: Random, entry: Entry) -> str | None:
    changed = respaced(random, entry.artists[0])
    return f"{changed} {_title(entry)}" if changed else None


def _crossed(random: Random, entry: Entry) -> str | None:
    if not words(_title(entry)):
        return None
    if random.random() < 0.5:
        return f"{entry.artists[0]} {_title(entry)}"
    different = words(entry.album) != words(_title(entry))
    return f"{_title(entry)} {entry.album}" if different and entry.album else None


def _featuring(_: Random, entry: Entry) -> str | None:
    found = _FEATURED.search(entry.name)
    return f"{_title(entry)} {found[1].strip()}" if found else None


def _in_other_script(_: Random, entry: Entry) -> str | None:
    return _both(entry) if _OTHER_SCRIPT.search(_both(entry)) else None


KINDS: Mapping[str, tuple[int, Callable[[Random, Entry], str | None]]] = {
    "exact": (80, _if_latin(lambda _, entry: _both(entry))),
    "exact, whole name": (60, _if_latin(lambda _, entry: f"{entry.name} {entry.artists[0]}")),
    "exact, title alone": (80, _if_latin(lambda _, entry: _title(entry))),
    "partial": (80, _if_latin(_partial)),
    "partial, title alone": (60, _if_latin(lambda r, entry: partial(r, _title(entry)))),
    "misspelt": (100, _if_latin(_misspelt_both)),
    "misspelt, title alone": (120, _if_latin(lambda r, entry: misspelt(r, _title(entry)))),
    "folded": (80, _if_latin(lambda _, entry: _folded(_both(entry)))),
    "folded, title alone": (60, _if_latin(lambda _, entry: _folded(_title(entry)))),
    "punctuation and spacing": (80, _if_latin(_respaced)),
    "punctuation and spacing, title alone": (60, _if_latin(_respaced_title)),
    "punctuation and spacing of the artist": (60, _if_latin(_respaced_artist)),
    "cross-field": (80, _if_latin(_crossed)),
    "featuring": (60, _if_latin(_featuring)),
    "other script": (60, _in_other_script),
    "other script, artist": (40, lambda _, entry: entry.name),
}
