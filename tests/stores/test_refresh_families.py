import asyncio
from collections.abc import AsyncIterator, Mapping
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from domain.ports import Key, Table, Tables, Value
from stores.refresh_families import TTL_S, InvalidRefreshToken, RefreshFamilies, ScopeNotGranted
from stores.sqlite_tables import SqliteTables
from stores.tables import REFRESH_FAMILIES
from tests.clock import Clock


class WriteTogether:
    """Lets two writers go on only when both have read."""

    def __init__(self, tables: SqliteTables) -> None:
        self._tables, self._both_have_read = tables, asyncio.Barrier(2)
        self.read = tables.read

    async def write_if(
        self,
        table: Table,
        key: Key,
        values: Mapping[str, Value],
        *,
        version: int,
        ttl_s: int | None = None,
    ) -> bool:
        await self._both_have_read.wait()
        return await self._tables.write_if(table, key, values, version=version, ttl_s=ttl_s)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def tables(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteTables]:
    opened = SqliteTables.open(tmp_path / "store.db", now_ms=clock)
    yield opened
    await opened.close()


@pytest.fixture
def families(tables: SqliteTables) -> RefreshFamilies:
    secrets = count(1)
    return RefreshFamilies(tables, new_secret=lambda: f"{next(secrets):043}")


async def test_each_token_leads_to_the_next_with_the_same_scopes(
    families: RefreshFamilies,
) -> None:
    token = await families.begin("ada", {"listener", "operator"})

    first = await families.use(token)
    second = await families.use(first.next_token)

    assert len({token, first.next_token, second.next_token}) == 3
    assert second.session.listener_id == "ada"
    assert second.scopes == {"listener", "operator"}


async def test_a_used_token_that_comes_back_ends_its_family_and_no_other(
    families: RefreshFamilies,
) -> None:
    stolen, other = await families.begin("ada", {"listener"}), await families.begin("ada", {})
    newest = (await families.use(stolen)).next_token

    with pytest.raises(InvalidRefreshToken):
        await families.use(stolen)

    with pytest.raises(InvalidRefreshToken):
        await families.use(newest)
    assert (await families.use(other)).session.listener_id == "ada"


async def test_of_two_uses_at_the_same_time_one_wins_and_the_family_goes_on(
    tables: SqliteTables, families: RefreshFamilies
) -> None:
    token = await families.begin("ada", {"listener"})
    together = cast(Tables, WriteTogether(tables))
    racing = [
        RefreshFamilies(together, new_secret=lambda: "x"),
        RefreshFamilies(together, new_secret=lambda: "y"),
    ]

    answers = await asyncio.gather(
        *(family.use(token) for family in racing), return_exceptions=True
    )

    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(won) == 1
    assert sum(isinstance(answer, InvalidRefreshToken) for answer in answers) == 1
    assert (await families.use(won[0].next_token)).session.listener_id == "ada"


async def test_what_is_stored_cannot_be_used(
    tables: SqliteTables, families: RefreshFamilies
) -> None:
    token = await families.begin("ada", {"listener"})

    rows = await tables.scan(REFRESH_FAMILIES, ("ada",))

    assert token.rpartition(".")[2].encode() not in bytes(rows[0].values["document"])  # type: ignore[arg-type]


async def test_a_wider_scope_is_refused_and_the_token_stays_good(
    families: RefreshFamilies,
) -> None:
    token = await families.begin("ada", {"listener"})

    with pytest.raises(ScopeNotGranted):
        await families.use(token, frozenset({"operator"}))

    assert (await families.use(token, frozenset({"listener"}))).scopes == {"listener"}


async def test_a_family_that_is_not_used_for_a_month_ends(
    families: RefreshFamilies, clock: Clock
) -> None:
    token = await families.begin("ada", {"listener"})
    clock.advance(TTL_S * 1000 - 1)
    token = (await families.use(token)).next_token
    clock.advance(TTL_S * 1000)

    with pytest.raises(InvalidRefreshToken):
        await families.use(token)


async def test_all_families_of_a_listener_end_together(
    tables: SqliteTables, families: RefreshFamilies
) -> None:
    for listener in ("ada", "ada", "bob"):
        await families.begin(listener, {"listener"})

    await families.end_all("ada")

    assert await tables.scan(REFRESH_FAMILIES, ("ada",)) == []
    assert len(await tables.scan(REFRESH_FAMILIES, ("bob",))) == 1


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b", "a.b.c.d", "a.b.c", "..", "a\x00.b.c", "\ud800.b.c", "x" * 300],
    ids=ascii,
)
async def test_what_is_no_token_of_ours_is_refused(families: RefreshFamilies, token: str) -> None:
    with pytest.raises(InvalidRefreshToken):
        await families.use(token)
