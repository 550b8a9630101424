from urllib.parse import quote

import pytest

from domain.units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS, WEEK_MS, quarter_of
from serve.listening import change_percent
from stores.accounts import Scope
from tests.clock import MONDAY_MS
from tests.serve.world import World

FIRST = quarter_of(MONDAY_MS)
MINE = "/v1/me/listening/minutes"
INDIA_MONDAY_MS = MONDAY_MS - 5 * HOUR_MS - 30 * MINUTE_MS


def of(listener_id: str) -> str:
    return f"/v1/listeners/{quote(listener_id, safe='')}/listening/minutes"


async def test_a_week_is_answered_in_the_shape_of_the_contract(world: World) -> None:
    account = await world.account("ada", zone="Asia/Kolkata")
    at_ms = INDIA_MONDAY_MS + 14 * HOUR_MS
    world.listening.weeks[account.listener_id] = {
        quarter_of(at_ms): 700_000,
        quarter_of(at_ms) + 3: 45_000,
    }
    world.listening.complete_ms = at_ms + 20 * MINUTE_MS + 31_000
    world.clock.advance(at_ms + HOUR_MS - MONDAY_MS)

    async with world.client(account) as client:
        answer = await client.get(MINE)

    week = answer.json()
    assert answer.status_code == 200
    assert list(week) == [
        "listener_id", "week", "time_zone", "from", "to", "minutes", "listened_ms", "days",
        "previous", "change_percent", "as_of",
    ]  # fmt: skip
    assert week["days"][0] == {
        "date": "2026-11-16",
        "minutes": 12,
        "listened_ms": 745_000,
        "hours": {"14": 745_000},
    }
    assert [day["date"] for day in week["days"]] == [f"2026-11-{day}" for day in range(16, 23)]
    assert {day["listened_ms"] for day in week["days"][1:]} == {0}
    del week["days"]
    assert week == {
        "listener_id": account.listener_id,
        "week": "2026-W47",
        "time_zone": "Asia/Kolkata",
        "from": "2026-11-16T00:00:00+05:30",
        "to": "2026-11-23T00:00:00+05:30",
        "minutes": 12,
        "listened_ms": 745_000,
        "previous": {"week": "2026-W46", "minutes": 0},
        "change_percent": None,
        "as_of": "2026-11-16T08:50:31.000Z",
    }


async def test_no_row_is_no_minutes(world: World) -> None:
    account = await world.account()

    async with world.client(account) as client:
        answer = await client.get(MINE)

    assert answer.status_code == 200
    assert answer.json()["minutes"] == 0
    assert answer.json()["as_of"] == "1970-01-01T00:00:00.000Z"


async def test_after_sunday_midnight_of_the_listener_the_number_is_0(world: World) -> None:
    account = await world.account("ada", zone="America/New_York")
    midnight_ms = MONDAY_MS + 5 * HOUR_MS
    world.listening.weeks[account.listener_id] = {quarter_of(midnight_ms) - 1: 900_000}

    world.clock.advance(midnight_ms - 1 - MONDAY_MS)
    async with world.client(account) as client:
        sunday = (await client.get(MINE)).json()
        world.clock.advance(1)
        monday = (await client.get(MINE)).json()

    assert (sunday["week"], sunday["minutes"]) == ("2026-W46", 15)
    assert (monday["week"], monday["minutes"]) == ("2026-W47", 0)
    assert monday["previous"] == {"week": "2026-W46", "minutes": 15}
    assert monday["change_percent"] == -100.0


async def test_another_week_is_answered_by_its_name(world: World) -> None:
    account = await world.account()
    before = quarter_of(MONDAY_MS - WEEK_MS)
    world.listening.weeks[account.listener_id] = {before: 900_000, before - 1: 600_000}

    async with world.client(account) as client:
        week = (await client.get(MINE, params={"week": "2026-W46"})).json()

    assert (week["week"], week["minutes"]) == ("2026-W46", 15)
    assert week["previous"] == {"week": "2026-W45", "minutes": 10}
    assert week["change_percent"] == 50.0


async def test_current_is_the_week_that_is_meant_when_none_is_said(world: World) -> None:
    account = await world.account()

    async with world.client(account) as client:
        said = await client.get(MINE, params={"week": "current"})
        unsaid = await client.get(MINE)
        with_slash = await client.get(MINE + "/")

    assert said.json() == unsaid.json() == with_slash.json()


@pytest.mark.parametrize(
    "week",
    [
        "", "2026-W00", "2026-W54", "2025-W53", "2026W47", "2026-w47", "last", "2026-W7", "0000-W01",
        "9999-W01", "2026-W47 ", "٢٠٢٦-W47", "2026-W47\x00", "-", "x" * 5000,
    ],
    ids=lambda week: ascii(week)[:16],
)  # fmt: skip
async def test_what_is_no_week_names_the_field(world: World, week: str) -> None:
    account = await world.account()

    async with world.client(account) as client:
        answer = await client.get(MINE, params={"week": week})

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "week")


async def test_a_week_that_is_given_twice_is_refused(world: World) -> None:
    account = await world.account()

    async with world.client(account) as client:
        answer = await client.get(MINE, params={"week": ["2026-W46", "2026-W47"]})

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "week")


@pytest.mark.parametrize("week", ["1970-W01", "2200-W52"])
async def test_the_first_and_last_weeks_are_answered(world: World, week: str) -> None:
    account = await world.account("ada", zone="Pacific/Kiritimati")

    async with world.client(account) as client:
        assert (await client.get(MINE, params={"week": week})).status_code == 200


async def test_a_change_of_zone_in_the_week_rewrites_nothing(world: World) -> None:
    account = await world.account("ada", zone="Asia/Tokyo")
    sunday_in_utc = quarter_of(MONDAY_MS - HOUR_MS)  # Monday morning in Tokyo
    world.listening.weeks[account.listener_id] = {sunday_in_utc: 900_000}

    world.clock.advance(DAY_MS)
    async with world.client(account) as client:
        before = (await client.get(MINE)).json()
        await client.put("/v1/me", json={"time_zone": "Europe/London"})
        world.clock.advance(QUARTER_MS)
        after = (await client.get(MINE)).json()

    assert before["minutes"] == after["minutes"] == 15
    assert before["from"] == after["from"] == "2026-11-16T00:00:00+09:00"
    assert after["to"] == "2026-11-23T00:00:00+00:00"
    assert after["time_zone"] == "Europe/London"


async def test_how_far_the_rows_go_is_read_before_the_rows(world: World) -> None:
    account = await world.account()

    async with world.client(account) as client:
        await client.get(MINE)

    assert world.listening.reads == ["progress", "quarters"]


async def test_an_operator_reads_anybodys_week(world: World) -> None:
    ada = await world.account("ada", zone="Asia/Kolkata")
    operator = await world.account("root", Scope.OPERATOR)

    async with world.client(operator) as client:
        answer = await client.get(of(ada.listener_id))

    assert answer.status_code == 200
    assert answer.json()["listener_id"] == ada.listener_id
    assert answer.json()["time_zone"] == "Asia/Kolkata"


@pytest.mark.parametrize("listener_id", ["car-17", "a/b", "a%2Fb", "x" * 40, "?", "#"])
async def test_a_listener_known_to_a_gateway_only_is_read_in_utc(
    world: World, listener_id: str
) -> None:
    operator = await world.account("root", Scope.OPERATOR)
    world.listening.weeks[listener_id] = {quarter_of(MONDAY_MS): 60_000}
    async with world.client(operator) as client:
        answer = await client.get(of(listener_id))

    assert answer.status_code == 200
    assert (answer.json()["time_zone"], answer.json()["minutes"]) == ("UTC", 1)


@pytest.mark.parametrize("listener_id", ["x" * 41, "a b", "é", "\x00"], ids=ascii)
async def test_what_can_be_no_listener_is_not_found(world: World, listener_id: str) -> None:
    operator = await world.account("root", Scope.OPERATOR)

    async with world.client(operator) as client:
        answer = await client.get(of(listener_id))

    assert answer.status_code == 404


async def test_a_listener_reads_their_own_week_and_nobody_elses(world: World) -> None:
    ada, bob = await world.account("ada"), await world.account("bob")

    async with world.client(ada) as client:
        own = await client.get(of(ada.listener_id))
        other = await client.get(of(bob.listener_id))
        nobody = await client.get(of("nobody"))

    assert own.status_code == 200
    assert other.status_code == nobody.status_code == 403
    assert other.json() == nobody.json()


async def test_a_store_that_is_away_is_told_without_telling_where_it_is(world: World) -> None:
    account = await world.account()
    world.listening.away = True

    async with world.client(account) as client:
        answer = await client.get(MINE)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["error"]["reason"] == "unavailable"
    assert "secret" not in answer.text


async def test_a_damaged_row_is_told_with_what_to_do(world: World) -> None:
    account = await world.account()
    world.listening.damaged = True

    async with world.client(account) as client:
        answer = await client.get(MINE)

    error = answer.json()["error"]
    assert (answer.status_code, error["status"], error["reason"]) == (503, 503, "damaged")
    assert "recount --repair" in error["message"]


@pytest.mark.parametrize(
    ("minutes", "before", "percent"),
    [(0, 0, None), (5, 0, None), (0, 5, -100.0), (10, 5, 100.0), (5, 5, 0.0), (4, 3, 33.3)],
)
def test_weeks_are_compared_to_a_tenth_of_a_percent(
    minutes: int, before: int, percent: float | None
) -> None:
    assert change_percent(minutes, before) == percent
