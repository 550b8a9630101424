"""A session with a cluster at the other end of a link: all of `stores.cql_session` but the driver.

What `CqlTables` and `Conditions` make of lost answers runs as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from cassandra import ConsistencyLevel, OperationTimedOut

from domain.errors import Unavailable
from stores.cql_session import PATIENCE_S, CqlSession
from stores.cql_tables import CqlTables
from stores.tables import TABLES
from tests.simulator.links import Link
from tests.simulator.versioned_rows import MEANINGS

QUEUED_S = 12.0  # a node drops what it could not begin within that time


def cluster_tables(link: Link) -> CqlTables:
    """Make the tables of a cluster, as the process of a link has them."""
    driver: Any = LinkedDriver(link)
    dice = Random(f"session of {link.process.name} in {link.world.seed}")
    session = LinkedSession(driver, jitter=dice, patience_s=PATIENCE_S)
    return CqlTables(session, "", now_ms=link.world.now_ms, tables=TABLES, random=dice)


@dataclass(slots=True)
class Asked:
    """A statement with its values."""

    text: str
    values: Sequence[Any]
    consistency_level: int | None = None
    fetch_size: int | None = None


class LinkedSession(CqlSession):
    """The real session; a statement need not be prepared."""

    async def prepare(self, text: str) -> Any:
        return Prepared(text)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement without its values."""

    text: str

    def bind(self, values: Sequence[Any]) -> Asked:
        return Asked(self.text, values)


class LinkedDriver:
    """What a session asks of the driver; questions and answers go over the link."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def execute_async(self, asked: Asked) -> "Response":
        return Response(self._link, asked)


class Response:
    """The answer to one question, in one page."""

    has_more_pages = False

    def __init__(self, link: Link, asked: Asked) -> None:
        self._link, self._asked = link, asked

    def add_callbacks(
        self, came: Callable[[Any], None], failed: Callable[[BaseException], None]
    ) -> None:
        self._link.process.run(self._go(came, failed))

    async def _go(
        self, came: Callable[[Any], None], failed: Callable[[BaseException], None]
    ) -> None:
        asked, rows = self._asked, self._link.world.versioned
        meaning = MEANINGS[asked.text]
        serial = asked.consistency_level == ConsistencyLevel.LOCAL_SERIAL
        try:
            found = await self._link.call(
                f"{'serial ' * serial}{meaning.kind} of {meaning.cql.table.name}",
                partial(rows.ask, asked.text, asked.values, serial=serial),
                writes=meaning.kind not in {"read", "scan"},
                latest_s=QUEUED_S,
            )
        except Unavailable as error:
            failed(OperationTimedOut(str(error)))
        else:
            came(found)
