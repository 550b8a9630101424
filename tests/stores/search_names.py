"""Names of their own on OpenSearch for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from heartline.addresses import OpenSearchAddress
from stores.opensearch_index import OpenSearchIndex
from stores.opensearch_session import OpenSearchSession
from stores.opensearch_writer import OpenSearchWriter
from tests.memory_board import no_jitter

SLOW_S = 30.0  # a machine that does other things, too


@dataclass(frozen=True, slots=True)
class SearchName:
    """An index on the nodes at an address, by a name that nobody else has."""

    name: str
    address: OpenSearchAddress
    session: OpenSearchSession

    def writer(self, **more: Any) -> OpenSearchWriter:
        given = {"shards": self.address.shards, "replicas": self.address.replicas, **more}
        return OpenSearchWriter(
            self.address.urls,
            name=self.name,
            login=self.address.login,
            jitter=no_jitter,
            owner=uuid4().hex,
            **given,
        )

    def index(self, attempt_s: float = SLOW_S) -> OpenSearchIndex:
        return OpenSearchIndex(
            self.address.urls,
            name=self.name,
            login=self.address.login,
            jitter=no_jitter,
            attempt_s=attempt_s,
        )

    async def show(self) -> None:
        """Let readers see what was written, as a second later they would."""
        await self.session.ask("POST", f"/{self.name}-*/_refresh")


@asynccontextmanager
async def new_search_name(url: str) -> AsyncIterator[SearchName]:
    """Have a name for a while."""
    address = OpenSearchAddress.parse(url)
    assert address is not None
    session = OpenSearchSession(
        address.urls, login=address.login, jitter=no_jitter, attempt_s=SLOW_S, patience_s=SLOW_S
    )
    made = SearchName(f"test-{uuid4().hex[:12]}", address, session)
    try:
        yield made
    finally:
        for name in await session.ask("GET", f"/{made.name}-*"):
            await session.ask("DELETE", f"/{name}")
        await session.close()
