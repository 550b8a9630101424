import asyncio
from typing import Any

import httpx
import pytest

from domain.calendar import Zone
from domain.units import HOUR_MS, QUARTER_MS
from stores import login_attempts
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


@pytest.mark.parametrize(
    "address", ["203.0.113.66", "2001:db8::66", "::ffff:203.0.113.66", "10.0.0.1, 203.0.113.66"]
)
async def test_sign_ups_from_one_address_are_limited(
    world: World, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_attempts, "MOST_SIGN_UPS", 2)
    headers = {"X-Forwarded-For": address}

    async with world.client() as client:
        for number in range(2):
            body = NEW | {"name": f"ada {number}"}
            assert (
                await client.post("/v1/accounts", json=body, headers=headers)
            ).status_code == 201
        refused = await client.post("/v1/accounts", json=NEW, headers=headers)
        neighbour = {"X-Forwarded-For": "198.51.100.7"}
        elsewhere = await client.post("/v1/accounts", json=NEW, headers=neighbour)

    assert (refused.status_code, refused.json()["error"]["reason"]) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert elsewhere.status_code == 201


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "::1"}, {"X-Forwarded-For": "?"}])
async def test_on_the_machine_itself_anybody_may_sign_up(
    world: World, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_attempts, "MOST_SIGN_UPS", 0)

    async with world.client() as client:
        assert (await client.post("/v1/accounts", json=NEW, headers=headers)).status_code == 201


async def log_in(client: httpx.AsyncClient, password: str) -> httpx.Response:
    form = {"grant_type": "password", "username": "ada", "password": password}
    return await client.post("/v1/token", data=form)


async def test_a_new_password_ends_everything_that_the_old_one_began(world: World) -> None:
    account = await world.account()
    async with world.client() as client:
        refresh_token = (await log_in(client, PASSWORD)).json()["refresh_token"]

    async with world.client(account) as client:
        change = {"password": PASSWORD, "new_password": "battery staple"}
        changed = await client.put("/v1/me/password", json=change)
        before = await client.get("/v1/me")
    async with world.client() as client:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        refreshed = await client.post("/v1/token", data=form)
        old, new = await log_in(client, PASSWORD), await log_in(client, "battery staple")
        headers = {"Authorization": f"Bearer {new.json()['access_token']}"}
        after = await client.get("/v1/me", headers=headers)

    assert changed.status_code == 204
    assert (before.status_code, before.json()["error"]["reason"]) == (401, "invalid_token")
    assert (refreshed.status_code, old.status_code) == (400, 400)
    assert (new.status_code, after.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "wrong", "new_password": "battery staple"}, "password"),
        ({"password": PASSWORD, "new_password": "short"}, "new_password"),
        ({"password": PASSWORD}, "new_password"),
        ({"new_password": "battery staple"}, "password"),
    ],
)
async def test_a_password_that_cannot_be_changed_stays(
    world: World, change: dict[str, str], field: str
) -> None:
    account = await world.account()

    async with world.client(account) as client:
        answer = await client.put("/v1/me/password", json=change)
        again = await log_in(client, PASSWORD)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert again.status_code == 200


async def test_changing_a_password_is_no_way_around_the_limit_of_attempts(world: World) -> None:
    account = await world.account()
    guess = {"password": "guess", "new_password": "battery staple"}

    async with world.client(account) as client:
        for _ in range(MOST_ATTEMPTS):
            assert (await client.put("/v1/me/password", json=guess)).status_code == 422
        answer = await client.put("/v1/me/password", json=guess | {"password": PASSWORD})

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
