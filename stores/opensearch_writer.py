"""The writer of an index on OpenSearch: `domain.search.SearchWriter`.

    nobody's ── position() ──▶ ours ── another claims it ──▶ lost ── position() ──▶ ours

Each claim has a number, and each call of `write` one within its claim. Together they are the version of
what it writes, so that what comes late loses to what was written since: that of a writer whose place
another has taken, and that of a request whose answer was lost. Who has lost the index learns it from
`commit`, and writes on only after asking where to begin.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import msgspec
from opensearchpy.exceptions import TransportError

from domain.catalogue import EntityKind
from domain.errors import Unavailable
from domain.search import Entry
from stores.opensearch_claim import Claim, ClaimedIndex
from stores.opensearch_indices import OpenSearchIndices
from stores.opensearch_schema import key_of, operations
from stores.opensearch_session import PASSING, NotDone, OpenSearchSession

ATTEMPT_S, PATIENCE_S = 20.0, 40.0  # in a new cluster manager's first seconds nobody writes
BULK, BULK_BYTES = 1_000, 4 << 20
AT_ONCE = 4  # bulks under way
CALL_BITS = 40  # of a version, for the calls of one claim
PAGE = 1_000
KEPT = "5m"  # a point in time, from its last page

logger = logging.getLogger(__name__)


class OpenSearchWriter:
    """Writes the index behind the alias *name*; *owner* names this process and no other."""

    def __init__(
        self,
        nodes: Sequence[str],
        *,
        name: str,
        shards: int = 1,
        replicas: int = 1,
        login: tuple[str, str] | None = None,
        jitter: Callable[[], float],
        owner: str,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._session = OpenSearchSession(
            nodes, login=login, jitter=jitter, attempt_s=ATTEMPT_S, patience_s=patience_s
        )
        self._indices = OpenSearchIndices(self._session, name, shards=shards, replicas=replicas)
        self._claimed = ClaimedIndex(self._session, self._indices.writes, owner)
        self._claim: Claim | None = None
        self._calls, self._is_lost, self._is_shown = 0, False, False

    async def position(self) -> int | None:
        """Tell the offset up to which the index is complete; None: it was never filled."""
        return (await self._begun()).offset

    async def write(
        self, entries: Sequence[Entry], removed: Sequence[tuple[EntityKind, str]] = ()
    ) -> None:
        """Put entries in place of those of the same kind and id; durable when it returns."""
        claim = await self._ours()
        self._calls += 1
        newest = {key_of(entry.kind, entry.id): entry for entry in entries}
        gone = {key_of(*each) for each in removed} - newest.keys()
        version = claim.number << CALL_BITS | self._calls
        bulks = _bulks(operations(newest.values(), gone, version))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._send_all(bulks))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def fill(self, entries: Sequence[Entry]) -> None:
        """Write entries: to look for those before them costs nothing more."""
        await self.write(entries)

    async def commit(self, position: int | None = None) -> None:
        """Note *position*: what was written is durable already."""
        claim = await self._ours()
        if position is None:
            return
        self._is_lost = not await self._claimed.note(claim, position)
        await self._ours()
        if not self._is_shown:
            await self._show()

    async def entries(self, kind: EntityKind) -> AsyncGenerator[Entry, None]:
        """Read all entries of a kind as of now, in the order of their ids; whoever reads claims nothing."""
        if self._claim is None:
            await self._indices.make()
        index = f"/{self._indices.index}"
        await self._session.ask("POST", f"{index}/_refresh")
        point = await self._session.ask("POST", f"{index}/_search/point_in_time", keep_alive=KEPT)
        pit = {"id": point["pit_id"], "keep_alive": KEPT}
        search = {"query": {"term": {"kind": kind}}, "size": PAGE, "sort": ["id"], "pit": pit}
        try:
            while hits := await self._page(search):
                for hit in hits:
                    yield msgspec.convert(hit["_source"]["entry"], Entry)
                search["search_after"] = hits[-1]["sort"]
        finally:
            with suppress(Unavailable):
                await self._session.ask("DELETE", "/_search/point_in_time", {"pit_id": [pit["id"]]})

    async def close(self) -> None:
        """Let go of the index."""
        await self._session.close()

    async def _ours(self) -> Claim:
        if self._is_lost:
            raise Unavailable("another process writes the search index")
        return self._claim or await self._begun()

    async def _begun(self) -> Claim:
        await self._indices.make()
        self._claim = claim = await self._claimed.claim()
        self._calls, self._is_lost, self._is_shown = 0, False, False
        if claim.offset is not None:  # filled, but whoever did it may have died before showing it
            await self._show()
        return claim

    async def _show(self) -> None:
        await self._indices.show()
        self._is_shown = True

    async def _page(self, search: Mapping[str, Any]) -> list[dict[str, Any]]:
        answer = await self._session.ask("POST", "/_search", search, failed=_incomplete)
        return list(answer["hits"]["hits"])

    async def _send_all(self, bulks: Iterator[list[bytes]]) -> None:
        for bulk in bulks:
            await self._send(bulk)

    async def _send(self, operations: list[bytes]) -> None:
        """Send a bulk, and again those of its operations that were not done."""
        patience = self._session.patience()
        left = operations
        while left:
            answer = await self._session.ask(
                "POST", f"/{self._indices.writes}/_bulk", b"".join(left), require_alias="true"
            )
            if not answer["errors"]:
                return
            results = [result for item in answer["items"] for result in item.values()]
            left = [each for each, result in zip(left, results, strict=True) if _is_left(result)]
            if left and not await patience.pause():
                raise Unavailable("OpenSearch does not take all that is written")


def _is_left(result: Mapping[str, Any]) -> bool:
    """Whether an operation is to be repeated.

    :raises Unavailable: if nothing can be written, as to an index that is blocked, or has gone.
    """
    status, error = result["status"], result.get("error")
    if status in PASSING:
        return True
    if error and status == HTTPStatus.BAD_REQUEST:
        logger.error("%s cannot be searched for: %s", result["_id"], error["reason"])
    elif error and status != HTTPStatus.CONFLICT:  # a conflict: what is newer stands already
        raise NotDone(status, f"{error['type']}: {error['reason']}")
    return False


def _incomplete(answer: Mapping[str, Any]) -> TransportError | None:
    if answer["_shards"]["failed"]:
        return TransportError(HTTPStatus.SERVICE_UNAVAILABLE.value, "a shard is away", answer)
    return None


def _bulks(operations: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Gather operations into bulks."""
    bulk, size = list[bytes](), 0
    for each in operations:
        bulk.append(each)
        size += len(each)
        if len(bulk) == BULK or size >= BULK_BYTES:
            yield bulk
            bulk, size = [], 0
    if bulk:
        yield bulk
