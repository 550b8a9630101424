"""Reading a whole table of a cluster in slices, partition by partition in the order of their tokens."""

from collections.abc import Sequence

from domain.ports import Key, Value
from stores.cql_bridge import Rows
from stores.cql_session import CqlSession
from stores.cql_values import bound
from stores.table_cql import TableCql


async def sliced(session: CqlSession, cql: TableCql, behind: Key, limit: int) -> Rows:
    """Read up to *limit* rows behind a key, the expired ones among them; all rows are behind ()."""
    columns, rows = len(cql.table.partition), Rows()
    if behind and cql.table.clustering:
        rows = await _ask(session, cql.rest, (*behind, limit))
    if len(rows) < limit:
        text = cql.slice(behind=bool(behind))
        rows += await _ask(session, text, (*behind[:columns], limit - len(rows)))
    return rows


async def _ask(session: CqlSession, text: str, values: Sequence[Value]) -> Rows:
    return await session.ask(bound(await session.prepare(text), values))
