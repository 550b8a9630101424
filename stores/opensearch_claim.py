"""Whose an index on OpenSearch is, and up to where it is complete: one document of it.

It is written only in place of the one that was read, so that of two who claim an index one has it,
and the other learns so at once.
"""

from http import HTTPStatus

import msgspec
from msgspec import Struct

from domain.errors import Unavailable
from stores.opensearch_schema import POSITION
from stores.opensearch_session import NotDone, OpenSearchSession

MOST_TRIES = 10


class Claim(Struct, frozen=True):
    """Who writes, by which claim, and the offset up to which the index is complete."""

    owner: str = ""
    number: int = 0
    offset: int | None = None


class _Place(Struct, frozen=True):
    """Where a document stands in the history of its shard."""

    if_seq_no: int
    if_primary_term: int


class ClaimedIndex:
    """The claim document of *index*, as *owner* sees it; no two processes have the same name."""

    def __init__(self, session: OpenSearchSession, index: str, owner: str) -> None:
        self._session, self._owner = session, owner
        self._path = f"/{index}/_doc/{POSITION}"

    async def claim(self) -> Claim:
        """Take the index from whoever has it."""
        for _ in range(MOST_TRIES):
            found, place = await self._read()
            if await self._write(Claim(self._owner, found.number + 1, found.offset), place):
                return Claim(self._owner, found.number + 1, found.offset)
        raise Unavailable("too many others claim the search index at once")

    async def note(self, mine: Claim, offset: int) -> bool:
        """Note up to where the index is complete; False if it is no longer ours."""
        for _ in range(MOST_TRIES):
            found, place = await self._read()
            if (found.owner, found.number) != (mine.owner, mine.number):
                return False
            if await self._write(Claim(mine.owner, mine.number, offset), place):
                return True
        return False

    async def _read(self) -> tuple[Claim, _Place | None]:
        try:
            found = await self._session.ask("GET", self._path)
        except NotDone as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return Claim(), None
        claim = msgspec.convert(found["_source"][POSITION], Claim)
        return claim, _Place(found["_seq_no"], found["_primary_term"])

    async def _write(self, claim: Claim, place: _Place | None) -> bool:
        condition = msgspec.structs.asdict(place) if place else {"op_type": "create"}
        body = {POSITION: msgspec.to_builtins(claim)}
        try:
            await self._session.ask("PUT", self._path, body, require_alias="true", **condition)
        except NotDone as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            return False
        return True
