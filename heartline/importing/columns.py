"""The columns of a catalogue in a file, and what a file calls them."""

from collections.abc import Iterable, Mapping, Sequence

from domain.errors import Refused

COLUMNS = (
    "id",
    "title",
    "artist",
    "album",
    "album_artist",
    "disc_number",
    "track_number",
    "release_date",
    "duration_ms",
    "explicit",
    "isrc",
    "upc",
    "genres",
    "popularity",
)
REQUIRED = ("title", "artist")
MOST_SHOWN = 40


class UnreadableCatalogue(Refused):
    """Raised when a file is not a catalogue that we know, or is damaged."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class NoColumns(Exception):
    """Raised when a file lacks columns that it must have; the message says which and what it has."""


def mapping_of(texts: Iterable[str]) -> dict[str, str]:
    """Read what ``--map title=track_name,artist=singer`` says: our column → the file's.

    Raises
    ------
    ValueError
        It is not written like that, or names a column that we do not have.
    """
    mapping: dict[str, str] = {}
    for pair in (pair for text in texts for pair in text.split(",")):
        ours, equals, theirs = (part.strip() for part in pair.partition("="))
        if not equals or not theirs:
            raise ValueError(f"wants OURS=THEIRS, like title=track_name, not {pair[:80]!r}")
        if ours not in COLUMNS:
            raise ValueError(f"{ours[:40]!r} is none of our columns: {', '.join(COLUMNS)}")
        mapping[ours] = theirs
    return mapping


def indexes_of(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Tell where in *header* each of our columns stands; those that the file lacks are left out.

    Raises
    ------
    NoColumns
        It lacks a required column, or one that *mapping* names.
    """
    found = known_indexes(header, mapping)
    lacking = [theirs for ours, theirs in mapping.items() if ours not in found]
    lacking += [name for name in REQUIRED if name not in found and name not in mapping]
    if lacking:
        shown = ", ".join(repr(name[:80]) for name in header[:MOST_SHOWN])
        raise NoColumns(
            f"has no column {lacking[0]!r}; it has {shown}. Say what it calls ours with --map, like"
            " --map title=track_name,artist=singer"
        )
    return found


def known_indexes(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Tell where in *header* those of our columns stand that are there."""
    indexes: dict[str, int] = {}
    for index, name in enumerate(header):
        indexes.setdefault(_plain(name), index)
    wanted = {name: _plain(mapping.get(name, name)) for name in COLUMNS}
    return {ours: indexes[theirs] for ours, theirs in wanted.items() if theirs in indexes}


def _plain(name: str) -> str:
    return name.strip().casefold()
