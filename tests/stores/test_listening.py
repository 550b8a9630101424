from pathlib import Path

from domain.rows import Rows, encode_week
from domain.units import QUARTERS_PER_WEEK, WEEK_MS, utc_week
from stores.listening import Listening
from stores.sqlite_tables import SqliteTables
from tests.clock import MONDAY_MS


async def test_quarter_hours_of_years_are_read_at_once(tmp_path: Path) -> None:
    tables = SqliteTables.open(tmp_path / "store.db", now_ms=lambda: MONDAY_MS)
    listening = Listening(tables, week_ttl_s=500 * WEEK_MS // 1_000)
    last = MONDAY_MS // (WEEK_MS // QUARTERS_PER_WEEK)
    listened = {last - 200 * QUARTERS_PER_WEEK: 1_000, last - 1: 3, last: 20_000}
    weeks = {utc_week(quarter * WEEK_MS // QUARTERS_PER_WEEK) for quarter in listened}
    rows = [("ann", week, encode_week(week, listened)) for week in sorted(weeks)]
    await listening.write(Rows(hours=[], weeks=rows, plays=[]), 1)

    found = await listening.quarters("ann", min(listened), last, now_ms=MONDAY_MS)
    newest = await listening.quarters("ann", last, last, now_ms=MONDAY_MS)

    assert found.mapping() == listened
    assert newest.mapping() == {last: 20_000}
    await tables.close()
