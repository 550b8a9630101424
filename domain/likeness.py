"""How well entries match what was typed: 1 is word for word, 0 has nothing in common.

Two views of the same are multiplied: how much of the query is found in the entry's names, word by word
and up to typing errors (optimal string alignment), and how alike the whole query is to the title, to
the title with its artist, and to these without what stands in parentheses, spaces forgiven.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from domain.comparable import ALBUM, ANYWHERE, ARTIST, TITLE, Comparable, comparable
from domain.lookups import edits_of
from domain.search import Entry, Query
from domain.words import joined

Scores = NDArray[np.float32]

# By the bits of the fields that a word stands in, and by the way that a name was read.
FIELD_WORTH = np.array([0, 1, 0.95, 1, 0.7, 1, 0.95, 1], np.float32)
WAY_WORTH = np.array([1, 0.99, 0.94, 0.9], np.float32)

EDIT_PRICE = 0.8  # of an edit, divided by the length of the word
BEGUN, BEGUN_WRONG = 0.9, 0.65  # a word of which only the beginning was typed, with an edit
JOINED, SHORTEST_JOINED = 0.95, 3  # a word that is several in the name, and its letters
AT_LEAST = 0.4  # what the words count for where the whole is not alike
STRICTNESS = 1.5  # how fast a query loses that is not found as a whole


class _Wanted(NamedTuple):
    words: list[str]
    fields: list[int]  # of each word, the bits of the fields that it may be in
    glued: list[tuple[str, int, int]]  # neighbours, and whose words they are
    whole: str
    last: int | None  # the word that may not be typed to its end


def likeness(query: Query, entries: Sequence[Entry]) -> Scores:
    """Tell how well each of *entries* matches; the filters of facts are taken to hold."""
    wanted = _wanted(query)
    if not wanted.words or not entries:
        return np.ones(len(entries), np.float32)
    compared = [comparable(entry) for entry in entries]
    found = _found(wanted, compared)
    alike = _resemblance(wanted.whole, compared)
    return found**STRICTNESS * (AT_LEAST + (1 - AT_LEAST) * alike)


def _wanted(query: Query) -> _Wanted:
    free = [*query.words, *chain(*query.phrases)]
    parts = ((free, ANYWHERE), (query.track, TITLE), (query.artist, ARTIST), (query.album, ALBUM))
    typed = [(word, fields) for part, fields in parts for word in part]
    glued = [
        ("".join(free[at : at + size]), at, at + size)
        for size in (2, 3)
        for at in range(len(free) - size + 1)
    ]
    return _Wanted(
        [word for word, _ in typed],
        [fields for _, fields in typed],
        glued,
        "".join((*free, *query.track, *query.artist)),
        len(query.words) - 1 if query.words else None,
    )


def _found(wanted: _Wanted, compared: Sequence[Comparable]) -> Scores:
    """Tell how much of the query is in each entry, longer words counting more."""
    best = _best(wanted, compared)
    for row, typed in enumerate(wanted.words):
        missing = np.flatnonzero(best[row] == 0).tolist() if len(typed) >= SHORTEST_JOINED else []
        for at in missing:
            if typed in compared[at].glued and typed in joined(compared[at].words[:-1]):
                best[row, at] = JOINED
    weights = np.sqrt([min(len(word), 8) for word in wanted.words]).astype(np.float32)
    found: Scores = weights @ best / weights.sum()
    return found


def _best(wanted: _Wanted, compared: Sequence[Comparable]) -> Scores:
    """Tell the best match of each word of the query in each entry; shape (words, entries)."""
    found = list(chain.from_iterable(one.words for one in compared))
    names = list(dict.fromkeys(found))
    places = dict(zip(names, range(len(names)), strict=True))
    at = np.fromiter(map(places.__getitem__, found), np.intp, len(found))
    fields = np.frombuffer(b"".join(one.fields for one in compared), np.uint8)
    may = np.array(wanted.fields, np.uint8)
    worth = _match(wanted, names)[:, at] * FIELD_WORTH[fields & may[:, None]]
    starts = _starts(len(one.words) for one in compared)
    best: Scores = np.maximum.reduceat(worth, starts, axis=1)
    for glued, begin, end in wanted.glued:
        if glued in places:
            has = np.maximum.reduceat(at == places[glued], starts)
            best[begin:end, has] = np.maximum(best[begin:end, has], JOINED)
    return best


def _match(wanted: _Wanted, names: list[str]) -> Scores:
    """Tell how well each word of the query matches each of *names*."""
    typed = wanted.words
    sizes = np.array([len(word) for word in typed])
    edits = cdist(typed, names, scorer=OSA.distance, score_cutoff=2, dtype=np.uint8)
    price = (EDIT_PRICE / np.maximum(sizes, 1)).astype(np.float32)[:, None]
    forgiven = np.array([edits_of(word) for word in typed])[:, None]
    match: Scores = np.where(edits <= forgiven, 1 - edits * price, np.float32(0))
    if wanted.last is not None:
        row = match[wanted.last]
        for at, worth in _begun(typed[wanted.last], names):
            row[at] = max(row[at], worth)
    return match


def _begun(typed: str, names: list[str]) -> list[tuple[int, float]]:
    """Tell which of *names* begin as *typed* does, and what each is worth; the first letter is right."""
    size = len(typed)
    likely = [at for at, name in enumerate(names) if name[:1] == typed[:1] and len(name) > size]
    if not likely:
        return []
    begun = [names[at][:size] for at in likely]
    edits = cdist([typed], begun, scorer=OSA.distance, score_cutoff=1, dtype=np.uint8)[0].tolist()
    worth = (BEGUN, BEGUN_WRONG if edits_of(typed) else 0, 0)
    return [
        (at, worth[wrong] * (0.5 + 0.5 * size / len(names[at])))
        for at, wrong in zip(likely, edits, strict=True)
    ]


def _resemblance(whole: str, compared: Sequence[Comparable]) -> Scores:
    """Tell how alike the whole query and each entry's best reading are."""
    if not whole:
        return np.ones(len(compared), np.float32)
    readings = list(chain.from_iterable(one.readings for one in compared))
    ways = np.frombuffer(b"".join(one.ways for one in compared), np.uint8)
    alike = cdist([whole], readings, scorer=OSA.normalized_similarity, dtype=np.float32)[0]
    starts = _starts(len(one.readings) for one in compared)
    best: Scores = np.maximum.reduceat(alike * WAY_WORTH[ways], starts)
    return best


def _starts(sizes: Iterable[int]) -> NDArray[np.intp]:
    return np.cumsum([0, *sizes], dtype=np.intp)[:-1]
