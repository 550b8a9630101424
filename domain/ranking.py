"""The order of what a search found: likeness × popularity × recency × taste.

Each factor but the first is 1 + weight × part, and each part is between 0 and 1, so that a weight says
by how much the most popular, newest or most liked can win over one that has nothing of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import inf, log2

import numpy as np
from msgspec import Struct
from msgspec.structs import asdict, fields

from domain.begun import begun
from domain.catalogue import EntityKind
from domain.errors import InvalidWeights
from domain.likeness import likeness
from domain.search import Candidate, Entry, Query
from domain.units import DAY_MS
from domain.words import words

MOST_WEIGHT = 10.0
MOST_PLAYS = 30  # as a power of two: more plays than that count as no more
FRESH_DAYS = 365.0  # after which the recency is half
EPOCH_DAYS = 719_528  # from the year 0 to 1970


class Weights(Struct, frozen=True):
    """How much may be won by what is no match of words."""

    popularity: float = 0.5
    recency: float = 0.05
    taste: float = 0.2


class Taste(Struct, frozen=True):
    """What a listener likes.

    *artists* is how much, 0 to 1, by the artist's id. *factors* are the listener's, in the space of
    *track_factors*, which are of tracks by their ids; their product counts between 0 and 1.
    """

    artists: Mapping[str, float] = {}
    factors: tuple[float, ...] = ()
    track_factors: Mapping[str, Sequence[float]] = {}

    def of(self, entry: Entry) -> float:
        """Tell how much the listener may like *entry*, 0 to 1."""
        if not (self.artists or self.factors):
            return 0.0
        liked = max((self.artists.get(each, 0.0) for each in entry.artist_ids), default=0.0)
        pairs = zip(self.factors, self.track_factors.get(entry.id, ()), strict=False)
        return min(1.0, max(0.0, liked, sum(one * other for one, other in pairs)))


class Ranked(Struct, frozen=True):
    """A hit: its score is the product of its parts, each weighted."""

    entry: Entry
    score: float
    parts: dict[str, float]  # likeness or begun, popularity, recency and taste, before the weights


def order(
    query: Query,
    candidates: Sequence[Candidate],
    *,
    weights: Weights = Weights(),  # noqa: B008 - frozen
    taste: Taste = Taste(),  # noqa: B008 - frozen
    now_ms: int,
) -> list[Ranked]:
    """Put *candidates* in the order of what was probably meant; equals by kind and id."""
    entries = [candidate.entry for candidate in candidates]
    found = {"likeness": likeness(query, entries).tolist()}
    return _ordered(entries, found, weights, taste, now_ms)


def order_begun(
    typed: Sequence[str],
    candidates: Sequence[Candidate],
    *,
    weights: Weights = Weights(),  # noqa: B008 - frozen
    taste: Taste = Taste(),  # noqa: B008 - frozen
    now_ms: int,
) -> list[Ranked]:
    """As `order`, for names of which only the beginning was typed: how much of one is left says nothing."""
    entries = [candidate.entry for candidate in candidates]
    found = {"begun": [begun(typed, entry) for entry in entries]}
    return _ordered(entries, found, weights, taste, now_ms)


def once_each(ranked: Iterable[Ranked]) -> Iterator[Ranked]:
    """Leave out tracks that read as a better one does: other releases of the same song.

    Artists and albums of the same name are different ones.
    """
    seen = set[tuple[tuple[str, ...], ...]]()
    for one in ranked:
        if one.entry.kind is EntityKind.TRACK:
            reads = words(one.entry.name), *map(words, one.entry.artists)
            if reads in seen:
                continue
            seen.add(reads)
        yield one


def _ordered(
    entries: Sequence[Entry],
    found: dict[str, list[float]],
    weights: Weights,
    taste: Taste,
    now_ms: int,
) -> list[Ranked]:
    """Order by the one part that is *found* times the others, each with its weight."""
    parts = {
        **found,
        "popularity": [_popularity(entry) for entry in entries],
        "recency": _recencies(entries, now_ms / DAY_MS),
        "taste": [taste.of(entry) for entry in entries],
    }
    (first,) = found.values()
    scores = np.array(first)
    for name, weight in asdict(weights).items():
        scores *= 1 + weight * np.array(parts[name])
    keys = [(-score, one.kind, one.id) for score, one in zip(scores.tolist(), entries, strict=True)]
    return [
        Ranked(entries[at], -keys[at][0], {name: part[at] for name, part in parts.items()})
        for at in sorted(range(len(keys)), key=keys.__getitem__)
    ]


def weights_of(text: str) -> Weights:
    """Read weights written as ``popularity=0.5,recency=0.1``; what is not named keeps its default.

    :raises InvalidWeights: naming what is wrong.
    """
    named = {field.name for field in fields(Weights)}
    found: dict[str, float] = {}
    for item in text.split(",") if text.strip() else ():
        name, _, value = (part.strip() for part in item.partition("="))
        if name not in named or name in found:
            known = ", ".join(sorted(named))
            raise InvalidWeights(name, f"is no weight, or there twice; the weights are {known}")
        found[name] = _weight(name, value)
    return Weights(**(asdict(Weights()) | found))


def _weight(name: str, value: str) -> float:
    try:
        weight = float(value)
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= MOST_WEIGHT:
        raise InvalidWeights(name, f"wants a number from 0 to {MOST_WEIGHT:g}, not {value[:20]!r}")
    return weight


def _popularity(entry: Entry) -> float:
    """Join what the catalogue tells and what Heartline counted, so that either is enough."""
    told = entry.popularity / 100
    counted = min(log2(1 + entry.plays) / MOST_PLAYS, 1.0)
    return 1 - (1 - told) * (1 - counted)


def _recencies(entries: Sequence[Entry], today: float) -> list[float]:
    age = np.maximum(0, today - np.array(list(map(_since, entries)))) / FRESH_DAYS
    recencies: list[float] = np.exp2(-age).tolist()
    return recencies


def _since(entry: Entry) -> float:
    """Tell the day of the release, or, where that is not known, when it was added; artists have none."""
    if entry.kind is EntityKind.ARTIST:
        return -inf
    return _days(entry.released) if entry.released else entry.added_ms / DAY_MS


@lru_cache(1 << 14)
def _days(released: str) -> float:
    year, month, day = (*map(int, released.split("-")), 1, 1)[:3]
    return year * 365.2425 + (month - 1) * 30.44 + day - 1 - EPOCH_DAYS
