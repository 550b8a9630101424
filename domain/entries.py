"""Entries of the search index, made of what the catalogue knows."""

from math import log2

from domain.search import Entry

PLAY_STEPS = 4  # a doubling of the plays is so many steps: fewer change no entry
FAME_OF_POPULARITY = 5  # points of popularity that are worth as much as a doubling of the plays


def rounded_plays(plays: int) -> int:
    """Round a number of plays to a quarter of a doubling, so that few plays change nothing."""
    if plays < 1:
        return 0
    return round(2 ** (round(log2(plays) * PLAY_STEPS) / PLAY_STEPS))


def fame(entry: Entry) -> int:
    """Tell how many plays an entry is worth, for an engine's second opinion on candidates."""
    return entry.plays + round(2 ** (entry.popularity / FAME_OF_POPULARITY)) - 1


def year(released: str) -> int:
    """Tell the year of a release date, 0: not known."""
    return int(released[:4]) if released[:4].isdecimal() else 0
