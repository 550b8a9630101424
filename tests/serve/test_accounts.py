import asyncio
from typing import Any

import pytest

from domain.calendar import Zone
from domain.units import HOUR_MS, QUARTER_MS
from stores.accounts import Scope
from stores.login_attempts import MOST_ATTEMPTS
from stores.tables import ACCOUNT_NAMES, REFRESH_FAMILIES
from tests.clock import MONDAY_MS
from tests.serve.world import HOST, PASSWORD, World

NEW = {"name": "Ada", "password": PASSWORD, "time_zone": "Asia/Kolkata"}


async def test_signing_up_makes_an_account_that_may_listen(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/v1/accounts", json=NEW | {"display_name": "Ada L."})

    me = answer.json()
    made = await world.accounts.by_name("ada")
    assert made is not None
    assert answer.status_code == 201
    assert me == {
        "id": made.listener_id,
        "account_id": made.listener_id,
        "display_name": "Ada L.",
        "external_urls": {},
        "href": f"{HOST}/v1/me",
        "type": "user",
        "uri": f"heartline:user:{made.listener_id}",
        "images": [],
        "name": "Ada",
        "time_zone": "Asia/Kolkata",
        "scopes": ["listener"],
    }
    async with world.client(made) as client:
        assert (await client.get("/v1/me")).json() == me


async def test_signing_up_needs_a_name_and_a_password_only(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/v1/accounts", json={"name": "Ada", "password": PASSWORD})

    assert answer.json()["time_zone"] == "UTC"
    assert answer.json()["display_name"] == "Ada"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"name": ""}, "name", id="empty-name"),
        pytest.param({"name": "a\x00"}, "name", id="nul-in-name"),
        pytest.param({"name": "x" * 65}, "name", id="long-name"),
        pytest.param({"name": 1}, "name", id="number-as-name"),
        pytest.param({"name": None}, "name", id="null-as-name"),
        pytest.param({"password": "short"}, "password", id="short-password"),
        pytest.param({"password": "x" * 1025}, "password", id="long-password"),
        pytest.param({"password": ["x"]}, "password", id="list-as-password"),
        pytest.param({"time_zone": "Mars/Olympus"}, "time_zone", id="unknown-zone"),
        pytest.param({"time_zone": "../etc/passwd"}, "time_zone", id="zone-as-path"),
        pytest.param({"time_zone": ""}, "time_zone", id="empty-zone"),
        pytest.param({"time_zone": "utc\x00"}, "time_zone", id="nul-in-zone"),
        pytest.param({"display_name": "\x07"}, "display_name", id="bell-in-display-name"),
        pytest.param({"display_name": 1.5}, "display_name", id="float-as-display-name"),
        pytest.param({"scopes": ["operator"]}, "scopes", id="scopes-are-not-chosen"),
    ],
)
async def test_a_sign_up_that_cannot_be_names_the_field(
    world: World, change: dict[str, Any], field: str
) -> None:
    async with world.client() as client:
        answer = await client.post("/v1/accounts", json=NEW | change)

    error = answer.json()["error"]
    assert (answer.status_code, error["status"], error["field"]) == (422, 422, field)
    assert field in error["message"]


@pytest.mark.parametrize("missing", ["name", "password"])
async def test_a_sign_up_without_a_needed_field_names_it(world: World, missing: str) -> None:
    document = {name: value for name, value in NEW.items() if name != missing}

    async with world.client() as client:
        answer = await client.post("/v1/accounts", json=document)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, missing)


async def test_a_name_that_somebody_has_is_refused(world: World) -> None:
    await world.account("ada")

    async with world.client() as client:
        answer = await client.post("/v1/accounts", json=NEW | {"password": "another one"})

    assert (answer.status_code, answer.json()["error"]["field"]) == (409, "name")


async def test_a_sign_up_that_is_sent_again_makes_one_account(world: World) -> None:
    async with world.client() as client:
        answers = await asyncio.gather(*(client.post("/v1/accounts", json=NEW) for _ in range(3)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_signing_up_is_no_way_around_the_limit_of_attempts(world: World) -> None:
    await world.account("ada")
    async with world.client() as client:
        for number in range(MOST_ATTEMPTS):
            await client.post("/v1/accounts", json=NEW | {"password": f"guess {number}"})

        answer = await client.post("/v1/accounts", json=NEW)

    assert answer.status_code == 409


async def test_what_is_left_out_of_a_change_stays(world: World) -> None:
    account = await world.account("ada", zone="Asia/Kolkata")

    async with world.client(account) as client:
        renamed = await client.put("/v1/me", json={"display_name": "Countess"})
        nothing = await client.put("/v1/me", json={})

    assert renamed.status_code == nothing.status_code == 200
    assert renamed.json() == nothing.json()
    assert renamed.json()["display_name"] == "Countess"
    assert renamed.json()["time_zone"] == "Asia/Kolkata"


async def test_a_change_of_zone_is_kept_with_its_instant(world: World) -> None:
    account = await world.account("ada", zone="Asia/Kolkata")
    world.clock.advance(HOUR_MS + 1)

    async with world.client(account) as client:
        answer = await client.put("/v1/me", json={"time_zone": "Europe/Berlin"})

    changed = await world.accounts.by_id(account.listener_id)
    assert changed is not None
    assert answer.json()["time_zone"] == "Europe/Berlin"
    berlin = Zone(MONDAY_MS + HOUR_MS + QUARTER_MS, "Europe/Berlin")
    assert changed.zones == (Zone(0, "Asia/Kolkata"), berlin)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"time_zone": "Nowhere"}, "time_zone", id="unknown-zone"),
        pytest.param({"time_zone": None}, "time_zone", id="null-zone"),
        pytest.param({"time_zone": 7}, "time_zone", id="number-as-zone"),
        pytest.param({"display_name": ""}, "display_name", id="empty"),
        pytest.param({"display_name": "x" * 300}, "display_name", id="long"),
        pytest.param({"display_name": "a", "id": "b"}, "id", id="another-field"),
    ],
)
async def test_a_change_that_cannot_be_names_the_field_and_changes_nothing(
    world: World, change: dict[str, Any], field: str
) -> None:
    account = await world.account()

    async with world.client(account) as client:
        answer = await client.put("/v1/me", json=change)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert await world.accounts.by_id(account.listener_id) == account


async def test_deleting_oneself_leaves_nothing(world: World) -> None:
    account = await world.account()
    login = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    async with world.client(account) as client:
        await client.post("/v1/token", data=login)

        answer = await client.delete("/v1/me")
        again = await client.delete("/v1/me")

        assert (answer.status_code, answer.content) == (204, b"")
        assert again.status_code == 401
        assert (await client.post("/v1/token", data=login)).status_code == 400
    assert world.erased == [account.listener_id]
    assert await world.tables.read(ACCOUNT_NAMES, [("ada",)]) == [None]
    assert await world.tables.scan(REFRESH_FAMILIES, (account.listener_id,)) == []


async def test_who_was_deleted_can_sign_up_again_as_somebody_new(world: World) -> None:
    account = await world.account()

    async with world.client(account) as client:
        await client.delete("/v1/me")
        answer = await client.post("/v1/accounts", json=NEW)

    assert answer.status_code == 201
    assert answer.json()["id"] != account.listener_id


async def test_a_gateways_token_shows_its_account_and_cannot_change_it(world: World) -> None:
    gateway = await world.account("gateway", Scope.INGEST)

    async with world.client(gateway) as client:
        assert (await client.get("/v1/me")).json()["scopes"] == ["ingest"]
        assert (await client.delete("/v1/me")).status_code == 403
