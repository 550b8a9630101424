"""Which track of the catalogue is meant by one that a file tells of: what to search for, what agrees."""

import re
from collections.abc import Iterator, Sequence

from domain.playlist_files import FileTrack
from domain.titles import titles_of
from domain.words import words

TITLE_WORDS, ARTIST_WORDS = 10, 5  # of the 16 that a query may have (`domain.queries`)

_GUESTS = re.compile(r"[\s(\[](?:feat|ft|featuring)\b.*", re.IGNORECASE)
_QUOTES = str.maketrans(dict.fromkeys('"“”„', " "))  # which would end a filter's value
_CONNECTING = frozenset({"and", "feat", "ft", "featuring", "vs", "with", "x"})


def queries(track: FileTrack) -> Iterator[str]:
    """Write what to search for, the likeliest to find it first; nothing if too little is known."""
    if track.isrc:
        yield f"isrc:{track.isrc}"
    title = _unquoted(titles_of(track.title)[1])[:TITLE_WORDS]
    artist = _unquoted(_without_guests("".join(track.artists[:1])))[:ARTIST_WORDS]
    if title and artist:
        yield f'track:"{" ".join(title)}" artist:"{" ".join(artist)}"'


def best_match(wanted: FileTrack, candidates: Sequence[FileTrack]) -> FileTrack | None:
    """Choose of those that agree the one of the same album and of the nearest length."""
    agreeing = [each for each in candidates if agrees(wanted, each)]
    return min(agreeing, key=lambda each: _distance(wanted, each), default=None)


def agrees(wanted: FileTrack, candidate: FileTrack) -> bool:
    """Whether title and artist are the same, up to how they are written; what is not told agrees.

    Additions to a title that make no other recording are passed over, and so are guests.
    """
    return (
        not wanted.title or bool(_titles(wanted.title) & _titles(candidate.title))
    ) and _same_artists(wanted.artists, candidate.artists)


def _same_artists(wanted: Sequence[str], candidate: Sequence[str]) -> bool:
    """Compare names one by one, then all words of all names, for a file may say several in one."""
    if not wanted:
        return True
    names = {_glued(each) for said in wanted for each in (said, _without_guests(said))}
    bag = _bag(wanted)
    return any(_glued(each) in names for each in candidate) or bool(bag and bag == _bag(candidate))


def _distance(wanted: FileTrack, candidate: FileTrack) -> tuple[bool, bool, int]:
    lengths = wanted.duration_ms, candidate.duration_ms
    return (
        _glued(wanted.title) != _glued(candidate.title),
        bool(wanted.album) and _glued(wanted.album) != _glued(candidate.album),
        abs(lengths[0] - lengths[1]) if lengths[0] and lengths[1] else 0,
    )


def _titles(name: str) -> set[str]:
    return {_glued(title) for title in titles_of(name)[:2]}


def _unquoted(name: str) -> tuple[str, ...]:
    return words(name.translate(_QUOTES))


def _without_guests(name: str) -> str:
    return _GUESTS.sub("", name) or name


def _glued(name: str) -> str:
    return "".join(words(name))


def _bag(names: Sequence[str]) -> list[str]:
    return sorted(word for name in names for word in words(name) if word not in _CONNECTING)
