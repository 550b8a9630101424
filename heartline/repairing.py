"""Stored rows that cannot be read, made anew from the log without waiting for their listeners."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from actors.remaking import remade
from domain.errors import UnreadableRecord
from domain.ports import Log, StampedRow, Table, Tables
from domain.positions import STAMP_STEP
from domain.rows import play_of, read_hour, read_week
from stores.tables import LISTENING_HOURS, LISTENING_WEEKS, PLAYS

TABLES = (LISTENING_HOURS, LISTENING_WEEKS, PLAYS)


@dataclass(frozen=True, slots=True)
class Damaged:
    """Rows that cannot be read, by listener id and key."""

    hours: list[tuple[str, int]] = field(default_factory=list)
    weeks: list[tuple[str, int]] = field(default_factory=list)
    plays: list[tuple[str, int]] = field(default_factory=list)

    @property
    def by_table(self) -> list[list[tuple[str, int]]]:
        """The same, in the order of `TABLES`."""
        return [self.hours, self.weeks, self.plays]


class Repair:
    """Mends the rows of listeners, whether or not shards run beside it.

    A row of stamp *s* is what the log makes of it up to that position. It is written again with the
    stamp *s* + 1, which the row of the next record outdoes.
    """

    def __init__(self, tables: Tables, log: Log, ttls_s: Mapping[str, int | None]) -> None:
        self._tables, self._log = tables, log
        self._ttls_s = ttls_s  # by table name, of those whose rows expire
        self.mended = 0

    async def mend(self, listener_ids: Iterable[str]) -> None:
        """Make every row of some listeners anew that cannot be read, as far as the log reaches back."""
        damaged: dict[int, Damaged] = defaultdict(Damaged)
        for listener_id in listener_ids:
            for place, table in enumerate(TABLES):
                for row in await self._tables.scan_stamped(table, (listener_id,)):
                    key = int(str(row.key[1]))
                    if not _is_readable(table, key, row.state):
                        damaged[row.stamp].by_table[place].append((listener_id, key))
        for stamp, rows in damaged.items():
            await self._make_anew(stamp, rows)

    async def _make_anew(self, stamp: int, damaged: Damaged) -> None:
        made = await remade(self._log, damaged, before=stamp // STAMP_STEP + 1)
        states = (made.hours, made.weeks, made.plays)
        for table, keys, of_table in zip(TABLES, damaged.by_table, states, strict=True):
            ttl_s = self._ttls_s.get(table.name)
            rows = [
                StampedRow(key, state, stamp + 1, ttl_s)
                for key, state in zip(keys, of_table, strict=True)
                if state is not None
            ]
            await self._tables.write_stamped([(table, rows)])
            self.mended += len(rows)


def _is_readable(table: Table, key: int, state: bytes) -> bool:
    try:
        if table is PLAYS:
            play_of(key, state)
        else:
            (read_hour if table is LISTENING_HOURS else read_week)(state)
    except UnreadableRecord:
        return False
    return True
