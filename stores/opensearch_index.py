"""The readers of an index on OpenSearch: `domain.search.SearchIndex`.

What is typed is looked for literally first. Only what is not found so is looked for with typing
errors, first in the words that hardly any entry has, and what is still not found, in parts. Each of
these is one request, for all kinds at once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import chain, zip_longest
from math import log10
from typing import Any

import msgspec
from opensearchpy.exceptions import TransportError
from rapidfuzz.distance import OSA

from domain.catalogue import EntityKind
from domain.entries import fame
from domain.lookups import ENOUGH, RARE, SIMILAR_EDITS, is_forgiven, longest
from domain.search import Candidate, Entry, Query
from stores.opensearch_queries import Completion, Matching, OpenSearchCascade, by_fame
from stores.opensearch_session import NotDone, OpenSearchSession

SIMILAR = 10  # words of each kind
ATTEMPT_S, PATIENCE_S = 1.0, 0.5
MOVING_S = 0.05
WHOLE = b'{"allow_partial_search_results":false}'  # an answer without a shard would be none
Search = Mapping[str, Any]

_encode = msgspec.json.Encoder().encode


class OpenSearchIndex:
    """Searches what stands under the alias *name*."""

    def __init__(
        self,
        nodes: Sequence[str],
        *,
        name: str,
        login: tuple[str, str] | None = None,
        jitter: Callable[[], float],
        attempt_s: float = ATTEMPT_S,
    ) -> None:
        self._name = name
        self._session = OpenSearchSession(
            nodes, login=login, jitter=jitter, attempt_s=attempt_s, patience_s=PATIENCE_S
        )

    async def propose(
        self, query: Query, kinds: Collection[EntityKind], *, now_ms: int, limit: int
    ) -> list[Candidate]:
        """Propose entries for a query."""
        cascades = [OpenSearchCascade(query, kind, now_ms=now_ms) for kind in kinds]
        asked = [each for each in cascades if each.can_match]
        found = await self._matching([each.literal() for each in asked], limit)
        long = {word for each in asked for word in each.words if is_forgiven(word)}
        rare = await self._rare(asked, long) if sum(map(len, found)) < ENOUGH else set()
        if rare:
            await self._add(found, [each.corrected(rare) for each in asked], limit)
        forgiven = longest(long)
        if forgiven and not any(found) and (forgiven != rare or query.phrases):
            await self._add(found, [each.loosely(forgiven) for each in asked], limit)
        if not any(found):
            several = [each for each in asked if len(each.words) > 1]
            found = await self._matching([each.partly(rare) for each in several], limit)
        return _first(found, limit)

    async def complete(
        self, words: Sequence[str], kinds: Collection[EntityKind], *, limit: int
    ) -> list[Candidate]:
        """Propose entries whose names begin so, the famous first."""
        completions = [Completion(words, kind) for kind in kinds if words]
        begun = [_famous(each.begun(), limit) for each in completions]
        whole = [_best(by_fame(each.whole()), limit) for each in completions]
        hits = await self._hits([*begun, *whole])
        found = [
            list(_taking_turns(*both))
            for both in zip(hits[: len(begun)], hits[len(begun) :], strict=True)
        ]
        short = [at for at, each in enumerate(hits[: len(begun)]) if len(each) < limit]
        meant = {at: query for at in short if (query := completions[at].misspelt())}
        more = await self._hits([_famous(query, limit) for query in meant.values()])
        for at, each in zip(meant, more, strict=True):
            found[at] += each
        return _first(found, limit)

    async def similar_words(self, word: str, *, limit: int) -> list[tuple[str, int]]:
        """Tell words within two edits, the nearest and then the most frequent first."""
        suggested, *same = await self._ask(
            [_similar(word), *(_counted({"term": {f"{kind}_all": word}}) for kind in EntityKind)]
        )
        counts = Counter({word: sum(map(_count, same))})
        for of_kind in suggested.get("suggest", {}).values():
            for each in of_kind[0]["options"]:
                counts[each["text"]] += each["freq"]
        near = {each: OSA.distance(word, each) for each, count in counts.items() if count}
        order = sorted(near, key=lambda each: (near[each], -counts[each], each))
        return [(each, counts[each]) for each in order if near[each] <= SIMILAR_EDITS][:limit]

    async def close(self) -> None:
        """Let go of the connections."""
        await self._session.close()

    async def _rare(self, asked: Sequence[OpenSearchCascade], long: Collection[str]) -> set[str]:
        """Tell those of the words that hardly any entry has."""
        of_word = {word: {"bool": {"should": [each.has(word) for each in asked]}} for word in long}
        answers = await self._ask([_counted(query) for query in of_word.values()])
        counts = zip(of_word, map(_count, answers), strict=True)
        return longest(word for word, count in counts if count < RARE)

    async def _add(
        self, found: list[list[Candidate]], queries: Sequence[Matching], limit: int
    ) -> None:
        for at, more in enumerate(await self._matching(queries, limit)):
            found[at] += more

    async def _matching(self, queries: Sequence[Matching], limit: int) -> list[list[Candidate]]:
        """Find the best matches of each and, where they fill the limit, the best of the famous."""
        found = await self._hits([_best(each, limit) for each in queries])
        full = [at for at, hits in enumerate(found) if len(hits) >= limit]
        famous = await self._hits([_best(by_fame(queries[at]), limit) for at in full])
        for at, hits in zip(full, famous, strict=True):
            found[at] = list(_taking_turns(found[at], map(_without_fame, hits)))
        return found

    async def _hits(self, searches: Sequence[Search]) -> list[list[Candidate]]:
        return [
            [_candidate(hit) for hit in answer.get("hits", {}).get("hits", ())]
            for answer in await self._ask(searches)
        ]

    async def _ask(self, searches: Sequence[Search]) -> list[Mapping[str, Any]]:
        """Ask for all of it at once; an index that was never filled has nothing."""
        if not searches:
            return []
        body = b"".join(b"%s\n%s\n" % (WHOLE, _encode(each)) for each in searches)
        try:
            return await self._answers(body)
        except NotDone as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        await asyncio.sleep(MOVING_S)  # the index may have gone when the alias had moved on
        try:
            return await self._answers(body)
        except NotDone as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return [{}] * len(searches)

    async def _answers(self, body: bytes) -> list[Mapping[str, Any]]:
        path = f"/{self._name}/_msearch"
        return list((await self._session.ask("POST", path, body, failed=_failed))["responses"])


def _best(query: Matching, limit: int) -> Search:
    return {"query": query, "size": limit, "track_total_hits": False}


def _famous(query: Matching, limit: int) -> Search:
    return {**_best(query, limit), "sort": [{"fame": "desc"}]}


def _counted(query: Matching) -> Search:
    return {"query": query, "size": 0, "track_total_hits": True}


def _similar(word: str) -> Search:
    how = {
        "suggest_mode": "always",
        "max_edits": SIMILAR_EDITS,
        "prefix_length": 0,
        "min_word_length": 1,
        "accuracy": 0.0,
        "size": SIMILAR,
        "analyzer": "keyword",
    }
    terms = {str(kind): {"term": {"field": f"{kind}_all", **how}} for kind in EntityKind}
    return {"size": 0, "suggest": {"text": word, **terms}}


def _count(answer: Mapping[str, Any]) -> int:
    return int(answer["hits"]["total"]["value"]) if answer else 0


def _failed(answer: Mapping[str, Any]) -> TransportError | None:
    """Tell the first search of several that failed."""
    for each in answer["responses"]:
        if "error" in each:
            return TransportError(each["status"], each["error"].get("type", ""), each)
    return None


def _candidate(hit: Mapping[str, Any]) -> Candidate:
    return Candidate(msgspec.convert(hit["_source"]["entry"], Entry), hit.get("_score") or 0.0)


def _without_fame(candidate: Candidate) -> Candidate:
    return Candidate(candidate.entry, candidate.score / log10(2 + fame(candidate.entry)))


def _taking_turns(*lists: Iterable[Candidate]) -> Iterator[Candidate]:
    return (one for one in chain.from_iterable(zip_longest(*lists)) if one)


def _first(found: Iterable[Iterable[Candidate]], limit: int) -> list[Candidate]:
    """Tell the first of each list, each entry once."""
    first: list[Candidate] = []
    for hits in found:
        distinct: dict[str, Candidate] = {}
        for one in hits:
            distinct.setdefault(one.entry.id, one)
        first += list(distinct.values())[:limit]
    return first
