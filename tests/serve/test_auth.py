import logging
from typing import Any

import pytest

from serve.app import DESCRIBED
from serve.auth import Caller, may_read
from serve.endpoints import Endpoint
from stores.accounts import Scope
from tests.serve.world import World

GUARDED = [endpoint for endpoint in DESCRIBED if not endpoint.public]
SCOPED = [endpoint for endpoint in GUARDED if endpoint.scope is not None]


def name(endpoint: Endpoint[Any]) -> str:
    return f"{endpoint.method} {endpoint.path}"


def path(endpoint: Endpoint[Any]) -> str:
    return endpoint.path.replace("{listener_id:path}", "somebody")


def test_what_anybody_may_ask_is_a_short_list() -> None:
    assert {name(endpoint) for endpoint in DESCRIBED if endpoint.public} == {
        "POST /v1/token",
        "POST /v1/revoke",
        "POST /v1/accounts",
        "GET /v1/playlists/{id}/images/{name}",
        "GET /healthz",
        "GET /readyz",
        "GET /v1/openapi.json",
        "GET /v1/docs",
    }


@pytest.mark.parametrize("endpoint", GUARDED, ids=name)
async def test_without_a_token_there_is_no_answer(world: World, endpoint: Endpoint[Any]) -> None:
    async with world.client() as client:
        answer = await client.request(endpoint.method, path(endpoint))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert answer.json()["error"]["reason"] == "token_missing"


@pytest.mark.parametrize("endpoint", SCOPED, ids=name)
async def test_without_its_scope_an_endpoint_refuses(world: World, endpoint: Endpoint[Any]) -> None:
    account = await world.account("ada", *Scope)
    others = [scope for scope in Scope if scope != endpoint.scope]

    async with world.client(account, *others) as client:
        answer = await client.request(endpoint.method, path(endpoint))

    assert answer.status_code == 403
    assert answer.json()["error"]["reason"] == "insufficient_scope"
    assert f'scope="{endpoint.scope}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("endpoint", SCOPED, ids=name)
async def test_a_scope_that_the_account_lost_is_worth_nothing(
    world: World, endpoint: Endpoint[Any]
) -> None:
    others = [scope for scope in Scope if scope != endpoint.scope]
    account = await world.account("ada", *others)

    async with world.client(account, *Scope) as client:
        answer = await client.request(endpoint.method, path(endpoint))

    assert answer.status_code == 403


@pytest.mark.parametrize("endpoint", GUARDED, ids=name)
async def test_a_deleted_accounts_token_is_worth_nothing_at_once(
    world: World, endpoint: Endpoint[Any]
) -> None:
    account = await world.account("ada", *Scope)
    async with world.client(account) as client:
        assert (await client.get("/v1/me")).status_code == 200
        await world.accounts.delete(account.listener_id)

        answer = await client.request(endpoint.method, path(endpoint))

    assert answer.status_code == 401
    assert answer.json()["error"]["reason"] == "invalid_token"


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic YTpi",
        b"Token abc",
        b"Bearer abc",
        b"Bearer a.b.c",
        b"Bearer a b c",
        b"Bearer \xff\xfe",
        b"Bearer " + b"x" * 10_000,
    ],
    ids=lambda header: ascii(header)[:20],
)
async def test_what_is_no_bearer_token_is_refused(world: World, header: bytes) -> None:
    async with world.client() as client:
        answer = await client.get("/v1/me", headers={b"Authorization": header})

    assert answer.status_code == 401


async def test_two_authorization_headers_are_refused(world: World) -> None:
    account = await world.account()
    header = ("Authorization", world.bearer(account)["Authorization"])

    async with world.client() as client:
        answer = await client.get("/v1/me", headers=[header, header])

    assert answer.status_code == 401


async def test_the_scheme_may_be_written_in_any_case(world: World) -> None:
    account = await world.account()
    token = world.bearer(account)["Authorization"].split()[1]

    async with world.client() as client:
        answer = await client.get("/v1/me", headers={"Authorization": f"bEaReR  {token}"})

    assert answer.status_code == 200


async def test_no_token_and_no_password_is_ever_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account = await world.account()
    token = world.bearer(account)["Authorization"].split()[1]
    world.listening.away = True
    login = {"grant_type": "password", "username": "ada", "password": "hush-hush"}

    async with world.client() as client:
        for bearer in (token, token[:-5]):
            headers = {"Authorization": f"Bearer {bearer}"}
            await client.get("/v1/me/listening/minutes", headers=headers)
        await client.post("/v1/token", data=login)

    assert token[:-5] not in caplog.text
    assert "hush-hush" not in caplog.text


@pytest.mark.parametrize(
    ("listener_id", "scopes", "may"),
    [
        pytest.param("ada", {Scope.LISTENER}, True, id="one's-own"),
        pytest.param("bob", {Scope.LISTENER}, False, id="somebody-else's"),
        pytest.param("bob", {Scope.OPERATOR}, True, id="an-operator"),
        pytest.param("bob", {Scope.INGEST}, False, id="a-gateway"),
        pytest.param("ada", {Scope.INGEST}, False, id="one's-own-by-a-gateway's-token"),
        pytest.param("ada", frozenset(), False, id="no-scope"),
    ],
)
def test_who_may_read_whose_listening(listener_id: str, scopes: set[Scope], *, may: bool) -> None:
    assert may_read(Caller("ada", frozenset(scopes)), listener_id) is may
