import asyncio
from base64 import b64encode
from typing import Any

import httpx
import pytest

from stores.accounts import Scope
from stores.login_attempts import MOST_ATTEMPTS, MOST_ATTEMPTS_FROM_ALL
from stores.revocations import ACCESS_TTL_S, MOST_SESSIONS, SLACK_S
from stores.tables import REFRESH_FAMILIES
from tests.serve.world import PASSWORD, World


def by_password(**changes: str) -> dict[str, str]:
    return {"grant_type": "password", "username": "ada", "password": PASSWORD} | changes


def by_refresh(token: str, **more: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token} | more


def by_client(**changes: str) -> dict[str, str]:
    client = {"client_id": "gateway", "client_secret": PASSWORD}
    return {"grant_type": "client_credentials"} | client | changes


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


async def post(world: World, form: dict[str, str], **more: Any) -> httpx.Response:
    async with world.client() as client:
        return await client.post("/v1/token", data=form, **more)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert set(answer.json()) == {"error", "error_description"}
    return answer.status_code, answer.json()["error"]


async def test_a_password_gives_a_token_that_opens_ones_account(world: World) -> None:
    account = await world.account()

    answer = await post(world, by_password())

    granted = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert granted["token_type"] == "Bearer"
    assert granted["expires_in"] == ACCESS_TTL_S
    assert granted["scope"] == "listener"
    async with world.client() as client:
        headers = {"Authorization": f"Bearer {granted['access_token']}"}
        me = await client.get("/v1/me", headers=headers)
    assert me.json()["id"] == account.listener_id


@pytest.mark.parametrize(
    ("form", "refused"),
    [
        pytest.param(by_password(password="wrong"), "invalid_grant", id="wrong-password"),
        pytest.param(by_password(username="bob"), "invalid_grant", id="nobody"),
        pytest.param(by_password(username="a\x00"), "invalid_grant", id="no-name"),
        pytest.param(by_password(username="x" * 10_000), "invalid_grant", id="long-name"),
        pytest.param(by_password(username=""), "invalid_request", id="empty-name"),
        pytest.param({"grant_type": "password"}, "invalid_request", id="nothing-given"),
        pytest.param({}, "invalid_request", id="no-grant-type"),
        pytest.param({"grant_type": "magic"}, "unsupported_grant_type", id="unknown-grant"),
        pytest.param(by_password(scope="operator"), "invalid_scope", id="scope-not-had"),
        pytest.param(by_password(scope="listener root"), "invalid_scope", id="scope-unknown"),
        pytest.param({"grant_type": "refresh_token"}, "invalid_request", id="no-refresh-token"),
        pytest.param(by_refresh("a.b.c"), "invalid_grant", id="unknown-refresh-token"),
        pytest.param(by_refresh("\U0001f600"), "invalid_grant", id="strange-refresh-token"),
    ],
)
async def test_what_is_wrong_is_told_as_oauth_tells_it(
    world: World, form: dict[str, str], refused: str
) -> None:
    await world.account()

    answer = await post(world, form)

    assert refusal(answer) == (400, refused)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_wrong_name_and_a_wrong_password_read_the_same(world: World) -> None:
    await world.account()

    wrong = await post(world, by_password(password="wrong"))
    nobody = await post(world, by_password(username="bob"))

    assert wrong.json() == nobody.json()


async def test_without_a_scope_one_gets_listener_and_no_more(world: World) -> None:
    await world.account("ada", Scope.LISTENER, Scope.OPERATOR)

    assert (await post(world, by_password())).json()["scope"] == "listener"
    both = await post(world, by_password(scope="operator listener operator"))
    assert both.json()["scope"] == "listener operator"


async def test_an_account_that_does_not_listen_gets_what_it_has(world: World) -> None:
    await world.account("gateway", Scope.INGEST)

    assert (await post(world, by_client())).json()["scope"] == "ingest"


async def test_a_refresh_token_is_exchanged_for_a_new_pair(world: World) -> None:
    await world.account()
    first = (await post(world, by_password())).json()

    second = (await post(world, by_refresh(first["refresh_token"]))).json()
    third = await post(world, by_refresh(second["refresh_token"]))

    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == "listener"
    assert third.status_code == 200


async def test_a_used_refresh_token_that_comes_back_ends_the_family(world: World) -> None:
    await world.account()
    first = (await post(world, by_password())).json()
    second = (await post(world, by_refresh(first["refresh_token"]))).json()

    again = await post(world, by_refresh(first["refresh_token"]))
    after = await post(world, by_refresh(second["refresh_token"]))

    assert refusal(again) == refusal(after) == (400, "invalid_grant")


async def test_of_many_refreshes_at_once_at_most_one_is_answered(world: World) -> None:
    await world.account()
    token = (await post(world, by_password())).json()["refresh_token"]

    answers = await asyncio.gather(*(post(world, by_refresh(token)) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]


async def test_a_refresh_can_narrow_the_scope_and_never_widen_it(world: World) -> None:
    await world.account("ada", Scope.LISTENER, Scope.OPERATOR)
    both = (await post(world, by_password(scope="listener operator"))).json()

    narrow = await post(world, by_refresh(both["refresh_token"], scope="listener"))
    back = await post(world, by_refresh(narrow.json()["refresh_token"]))
    wider = await post(world, by_refresh(back.json()["refresh_token"], scope="ingest"))
    after = await post(world, by_refresh(back.json()["refresh_token"]))

    assert narrow.json()["scope"] == "listener"
    assert back.json()["scope"] == "listener operator"
    assert refusal(wider) == (400, "invalid_scope")
    assert after.status_code == 200


async def test_a_deleted_account_cannot_be_refreshed(world: World) -> None:
    account = await world.account()
    token = (await post(world, by_password())).json()["refresh_token"]
    await world.accounts.delete(account.listener_id)

    assert refusal(await post(world, by_refresh(token))) == (400, "invalid_grant")


@pytest.mark.parametrize("by_header", [True, False])
async def test_a_gateway_logs_in_as_a_client_and_gets_no_refresh_token(
    world: World, *, by_header: bool
) -> None:
    await world.account("gateway", Scope.INGEST)
    form = {"grant_type": "client_credentials"} if by_header else by_client()

    answer = await post(world, form, headers=basic("gateway", PASSWORD) if by_header else {})

    assert answer.status_code == 200
    assert "refresh_token" not in answer.json()


async def test_a_client_secret_may_be_form_encoded_in_the_header(world: World) -> None:
    await world.accounts.create("gate way", password="50% off+more", time_zone="UTC")
    encoded = basic("gate%20way", "50%25%20off%2Bmore")

    answer = await post(world, {"grant_type": "client_credentials"}, headers=encoded)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        basic("gateway", "wrong")["Authorization"],
        basic("", "")["Authorization"],
        "Basic",
        "Basic !!!",
        f"Basic {b64encode(bytes([255, 254])).decode()}",
        f"Basic {b64encode(b'no colon').decode()}",
    ],
)
async def test_a_wrong_client_is_asked_for_its_secret(world: World, header: str) -> None:
    await world.account("gateway", Scope.INGEST)

    answer = await post(
        world, {"grant_type": "client_credentials"}, headers={"Authorization": header}
    )

    assert refusal(answer) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


async def test_too_many_attempts_are_told_when_to_come_back(world: World) -> None:
    await world.account()
    for _ in range(MOST_ATTEMPTS):
        await post(world, by_password(password="wrong"))

    answer = await post(world, by_password())
    world.clock.advance(int(answer.headers["Retry-After"]) * 1000)

    assert refusal(answer) == (429, "too_many_attempts")
    assert (await post(world, by_password())).status_code == 200


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        pytest.param(b"grant_type=password", "application/json", 415, id="not-a-form"),
        pytest.param(b"x" * (1 << 21), "application/x-www-form-urlencoded", 413, id="huge"),
        pytest.param(b"a=1&a=2", "application/x-www-form-urlencoded", 400, id="twice"),
        pytest.param(b"a=%ff", "application/x-www-form-urlencoded", 400, id="not-utf-8"),
        pytest.param(b"\xff=1", "application/x-www-form-urlencoded", 400, id="not-utf-8-raw"),
        pytest.param(b"&".join(b"%d=1" % n for n in range(100)), None, 400, id="many-fields"),
        pytest.param(b"", None, 400, id="empty"),
    ],
)
async def test_what_is_no_form_is_refused(
    world: World, content: bytes, content_type: str | None, status: int
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    async with world.client() as client:
        answer = await client.post("/v1/token", content=content, headers=headers)

    assert refusal(answer) == (status, "invalid_request")


async def test_what_is_in_the_address_is_not_looked_at(world: World) -> None:
    await world.account()

    async with world.client() as client:
        answer = await client.post("/v1/token", params=by_password())

    assert refusal(answer) == (400, "invalid_request")


async def test_a_wrong_client_in_the_form_is_told_how_to_log_in_as_well(world: World) -> None:
    answer = await post(world, by_client(client_secret="wrong"))

    assert refusal(answer) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")  # RFC 9110, section 15.5.2


async def revoke(world: World, form: dict[str, str]) -> httpx.Response:
    async with world.client() as client:
        return await client.post("/v1/revoke", data=form)


@pytest.mark.parametrize("which", [0, 1], ids=["the-last", "one-that-was-used"])
async def test_logging_out_ends_the_session_of_a_refresh_token(world: World, which: int) -> None:
    await world.account()
    other = (await post(world, by_password())).json()
    first = (await post(world, by_password())).json()
    second = (await post(world, by_refresh(first["refresh_token"]))).json()

    token = (second, first)[which]["refresh_token"]
    answer = await revoke(world, {"token": token, "token_type_hint": "refresh_token"})
    after = await post(world, by_refresh(second["refresh_token"]))
    elsewhere = await post(world, by_refresh(other["refresh_token"]))

    assert (answer.status_code, answer.content) == (200, b"")
    assert refusal(after) == (400, "invalid_grant")
    assert elsewhere.status_code == 200


@pytest.mark.parametrize("token", ["x", "a.b.c", "\u2603", "x" * 10_000])
async def test_logging_out_of_what_is_no_session_is_done_already(world: World, token: str) -> None:
    assert (await revoke(world, {"token": token})).status_code == 200


async def test_an_access_token_without_a_session_is_not_said_to_be_revoked(world: World) -> None:
    token = world.bearer(await world.account())["Authorization"].split()[1]

    assert refusal(await revoke(world, {"token": token})) == (400, "unsupported_token_type")
    assert refusal(await revoke(world, {})) == (400, "invalid_request")


async def me(world: World, tokens: dict[str, str]) -> int:
    """Ask who one is; the status."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    async with world.client() as client:
        return (await client.get("/v1/me", headers=headers)).status_code


@pytest.mark.parametrize("given", ["access_token", "refresh_token"])
async def test_logging_out_ends_the_access_tokens_of_that_session_only(
    world: World, given: str
) -> None:
    await world.account()
    other = (await post(world, by_password())).json()
    first = (await post(world, by_password())).json()
    second = (await post(world, by_refresh(first["refresh_token"]))).json()

    assert (await revoke(world, {"token": second[given]})).status_code == 200

    assert [await me(world, each) for each in (first, second, other)] == [401, 401, 200]
    assert refusal(await post(world, by_refresh(second["refresh_token"])))[0] == 400


async def test_a_stolen_refresh_token_ends_the_access_tokens_that_came_of_it(world: World) -> None:
    await world.account()
    first = (await post(world, by_password())).json()
    second = (await post(world, by_refresh(first["refresh_token"]))).json()

    await post(world, by_refresh(first["refresh_token"]))

    assert [await me(world, each) for each in (first, second)] == [401, 401]


async def test_who_makes_up_a_session_ends_nothing(world: World) -> None:
    account = await world.account()
    token = f"{account.listener_id}.{'f' * 43}.{'s' * 43}"

    assert (await revoke(world, {"token": token})).status_code == 200

    assert await world.accounts.by_id(account.listener_id) == account


async def test_sessions_that_ended_are_forgotten_when_their_tokens_have_expired(
    world: World,
) -> None:
    account = await world.account()
    for wait_s in (0, ACCESS_TTL_S + SLACK_S):
        world.clock.advance(wait_s * 1_000)
        tokens = (await post(world, by_password())).json()
        await revoke(world, {"token": tokens["refresh_token"]})

    now = await world.accounts.by_id(account.listener_id)

    assert now
    assert (now.revoked.epoch, len(now.revoked.sessions)) == (0, 1)


async def test_who_logs_out_very_often_ends_all_access_tokens_and_no_other_session(
    world: World,
) -> None:
    account = await world.account()
    other = (await post(world, by_password())).json()
    for number in range(MOST_SESSIONS + 1):
        await world.accounts.end_session(account.listener_id, f"session {number}")

    assert await me(world, other) == 401
    assert await me(world, (await post(world, by_refresh(other["refresh_token"]))).json()) == 200


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def test_wrong_passwords_from_one_address_do_not_lock_out_another(world: World) -> None:
    await world.account()
    mallory, ada = from_address("203.0.113.66"), from_address("198.51.100.7")
    for _ in range(MOST_ATTEMPTS):
        await post(world, by_password(password="wrong"), headers=mallory)

    assert (await post(world, by_password(), headers=mallory)).status_code == 429
    assert (await post(world, by_password(), headers=ada)).status_code == 200


async def test_wrong_passwords_from_everywhere_are_limited_together(world: World) -> None:
    await world.account()
    for number in range(MOST_ATTEMPTS_FROM_ALL):
        address = from_address(f"203.0.113.{number}")
        assert (
            await post(world, by_password(password="wrong"), headers=address)
        ).status_code == 400

    answer = await post(world, by_password(), headers=from_address("198.51.100.7"))

    assert refusal(answer) == (429, "too_many_attempts")


async def guessed_everywhere(world: World) -> None:
    """Use up the attempts on a name that strangers have together."""
    for number in range(MOST_ATTEMPTS_FROM_ALL):
        await post(
            world, by_password(password="wrong"), headers=from_address(f"203.0.113.{number}")
        )


async def test_nobody_elsewhere_locks_out_an_address_from_where_somebody_logged_in_before(
    world: World,
) -> None:
    await world.account()
    home, new = from_address("198.51.100.7"), from_address("198.51.100.8")
    await post(world, by_password(), headers=home)
    await guessed_everywhere(world)

    assert (await post(world, by_password(), headers=home)).status_code == 200
    assert (await post(world, by_password(), headers=new)).status_code == 429
    for _ in range(MOST_ATTEMPTS):
        await post(world, by_password(password="wrong"), headers=home)
    assert (await post(world, by_password(), headers=home)).status_code == 429


async def test_where_a_password_is_changed_one_can_log_in_with_the_new_one(world: World) -> None:
    account = await world.account()
    home, old = from_address("198.51.100.7"), from_address("198.51.100.8")
    await post(world, by_password(), headers=old)
    change = {"password": PASSWORD, "new_password": "battery staple"}
    async with world.client(account) as client:
        await client.put("/v1/me/password", json=change, headers=home)
    await guessed_everywhere(world)
    login = by_password(password="battery staple")

    assert (await post(world, login, headers=home)).status_code == 200
    assert (await post(world, login, headers=old)).status_code == 429


async def test_a_login_that_a_change_of_password_overtakes_is_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await world.account()
    begin = world.families.begin

    async def overtaken(listener_id: str, scopes: frozenset[str]) -> str:
        await world.families.end_all(listener_id)  # the last step of the change
        await world.accounts.change_password(account, PASSWORD, "battery staple")
        return await begin(listener_id, scopes)

    monkeypatch.setattr(world.families, "begin", overtaken)

    answer = await post(world, by_password())

    assert refusal(answer) == (400, "invalid_grant")
    assert await world.tables.scan(REFRESH_FAMILIES, (account.listener_id,)) == []
