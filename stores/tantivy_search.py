"""Finding candidates in one state of a tantivy index.

What is typed is looked for literally first. Only what is not found so is looked for with typing
errors, first in the words that hardly any entry has: to look for all of them at once takes tens of
milliseconds. What is still not found is looked for in parts.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, compress, zip_longest
from math import log2
from os import cpu_count

from rapidfuzz.distance import OSA
from tantivy import DocAddress
from tantivy import Query as Matching

from domain.catalogue import EntityKind
from domain.lookups import ENOUGH, RARE, SIMILAR_EDITS, is_forgiven, longest
from domain.search import Candidate, Entry, Query
from domain.words import joined, words
from stores.tantivy_queries import Completion, TantivyCascade, similar
from stores.tantivy_snapshot import Snapshot

LOOKED_AT = 100  # entries that have a word like the one that may be wrong

Hit = tuple[float, DocAddress]

_threads = ThreadPoolExecutor(cpu_count(), thread_name_prefix="search-kind")


def propose(
    snapshot: Snapshot,
    query: Query,
    kinds: Collection[EntityKind],
    *,
    now_ms: int,
    limit: int,
) -> list[Candidate]:
    """Propose up to *limit* entries of each kind, by match and by match and fame."""
    cascades = [TantivyCascade(query, kind, snapshot.searcher, now_ms=now_ms) for kind in kinds]
    asked = [each for each in cascades if each.can_match]
    found = [_hits(snapshot, each.literal(), limit) for each in asked]
    typed = {word for each in asked for word in each.words if is_forgiven(word)}
    rare = longest(word for word in typed if sum(each.frequency(word) for each in asked) < RARE)
    forgiven = longest(typed)

    def add(written: Callable[[TantivyCascade], Matching], likely: Sequence[bool]) -> None:
        more = _beside(snapshot, compress(asked, likely), written, limit)
        for hits, others in zip(compress(found, likely), more, strict=True):
            hits.extend(others)

    if rare and sum(map(len, found)) < ENOUGH:
        likely = [each.may_match(query.words, rare) for each in asked]
        add(lambda each: each.corrected(rare), likely)
    if forgiven and not any(found) and (forgiven != rare or query.phrases):
        likely = [each.may_match(each.words, forgiven) for each in asked]
        add(lambda each: each.loosely(forgiven), likely)
    if not any(found):
        several = [each for each in asked if len(each.words) > 1]
        found = _beside(snapshot, several, lambda each: each.partly(rare), limit)
    return [one for hits in found for one in _candidates(snapshot, hits, limit)]


def _beside(
    snapshot: Snapshot,
    cascades: Iterable[TantivyCascade],
    written: Callable[[TantivyCascade], Matching],
    limit: int,
) -> list[list[Hit]]:
    """Search the kinds side by side: what takes long is tantivy's, which needs no interpreter."""
    queries = [written(each) for each in cascades]
    if len(queries) < 2:
        return [_hits(snapshot, query, limit) for query in queries]
    return list(_threads.map(lambda query: _hits(snapshot, query, limit), queries))


def complete(
    snapshot: Snapshot, typed: Sequence[str], kinds: Collection[EntityKind], *, limit: int
) -> list[Candidate]:
    """Propose up to *limit* entries of each kind whose names begin so, the famous first."""
    return [one for kind in kinds if typed for one in _complete(snapshot, typed, kind, limit)]


def similar_words(snapshot: Snapshot, word: str) -> list[tuple[str, int]]:
    """Tell the words of the index within two edits, the nearest first, with how many have them."""
    near: dict[str, int] = {}
    for kind in EntityKind:
        hits = snapshot.searcher.search(
            similar(kind, word), LOOKED_AT, count=False, order_by_field="fame"
        )
        for entry in _entries(snapshot, hits.hits):
            for each in _words_of(entry):
                near[each] = OSA.distance(word, each, score_cutoff=SIMILAR_EDITS)
    counted = {
        each: sum(snapshot.searcher.doc_freq(f"{kind}_all", each) for kind in EntityKind)
        for each, distance in near.items()
        if distance <= SIMILAR_EDITS
    }
    order = sorted(counted, key=lambda each: (near[each], -counted[each], each))
    return [(each, counted[each]) for each in order]


def _hits(snapshot: Snapshot, query: Matching, limit: int) -> list[Hit]:
    matching = snapshot.searcher.search(query, limit, count=False).hits
    if len(matching) < limit:
        return list(matching)
    famous = snapshot.searcher.search(query, limit, count=False, weight_by_field="fame").hits
    fames = snapshot.searcher.fast_field_values("fame", [address for _, address in famous])
    plain = [  # without the factor by which tantivy weighs
        (score / log2(2 + (fame or 0)), address)
        for (score, address), fame in zip(famous, fames, strict=True)
    ]
    return list(_taking_turns(matching, plain))


def _complete(
    snapshot: Snapshot, typed: Sequence[str], kind: EntityKind, limit: int
) -> list[Candidate]:
    queries = Completion(typed, kind)
    hits: list[Hit] = _famous(snapshot, queries.begun(), limit)
    if len(hits) >= limit:
        whole = snapshot.searcher.search(
            queries.whole(), limit, count=False, weight_by_field="fame"
        ).hits
        hits = list(_taking_turns(hits, whole))
    elif misspelt := queries.misspelt():
        hits += _famous(snapshot, misspelt, limit)
    return _candidates(snapshot, hits, limit)


def _famous(snapshot: Snapshot, query: Matching, limit: int) -> list[Hit]:
    hits = snapshot.searcher.search(query, limit, count=False, order_by_field="fame").hits
    return [(0.0, address) for _, address in hits]


def _taking_turns(*lists: Sequence[Hit]) -> Iterator[Hit]:
    return (hit for hit in chain.from_iterable(zip_longest(*lists)) if hit)


def _candidates(snapshot: Snapshot, hits: Iterable[Hit], limit: int) -> list[Candidate]:
    distinct: dict[tuple[int, int], Hit] = {}
    for hit in hits:
        distinct.setdefault((hit[1].segment_ord, hit[1].doc), hit)
    first = list(distinct.values())[:limit]
    return [
        Candidate(entry, score)
        for (score, _), entry in zip(first, _entries(snapshot, first), strict=True)
    ]


def _entries(snapshot: Snapshot, hits: Iterable[Hit]) -> list[Entry]:
    return [snapshot.entry(address) for _, address in hits]


def _words_of(entry: Entry) -> set[str]:
    found = [words(name) for name in (entry.name, entry.album, *entry.artists)]
    return {word for each in found for word in (*each, *joined(each))}
