import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from domain.errors import Unavailable, UnknownZone
from serve.errors import ApiError
from serve.frame import SAFE_HEADERS, application
from tests.serve.world import World


async def broken(_request: Request) -> Response:
    raise ZeroDivisionError("secret 42")


async def half(_request: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    return StreamingResponse(chunks())


async def away(_request: Request) -> Response:
    raise Unavailable("secret 42")


async def refused(_request: Request) -> Response:
    raise UnknownZone("x")


async def relaxed(_request: Request) -> Response:
    return Response("hello", headers={"Cache-Control": "public", "X-Frame-Options": "SAMEORIGIN"})


ROUTES = [
    Route(f"/{handler.__name__}", handler) for handler in (broken, half, away, refused, relaxed)
]


def client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(ROUTES))
    return httpx.AsyncClient(transport=transport, base_url="http://x")


async def test_what_nobody_caught_is_a_500_that_tells_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with client() as asking:
        answer = await asking.get("/broken")

    error = {"status": 500, "message": "internal error", "reason": "internal"}
    assert (answer.status_code, answer.json()) == (500, {"error": error})
    assert "ZeroDivisionError: secret 42" in caplog.text


async def test_half_an_answer_is_cut_off_and_not_patched(caplog: pytest.LogCaptureFixture) -> None:
    async with client() as asking:
        with pytest.raises(ZeroDivisionError):
            await asking.get("/half")
    assert caplog.records[-1].levelno == logging.ERROR


async def test_a_backend_that_is_away_is_a_503_with_a_time_to_come_back() -> None:
    async with client() as asking:
        answer = await asking.get("/away")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "secret" not in answer.text


async def test_what_a_rule_refused_names_the_field() -> None:
    async with client() as asking:
        answer = await asking.get("/refused")

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "time_zone")


@pytest.mark.parametrize("path", ["/relaxed", "/nothing", "/broken"])
async def test_every_answer_has_safe_headers_and_allows_no_other_origin(path: str) -> None:
    async with client() as asking:
        answer = await asking.get(path, headers={"Origin": "http://evil"})

    assert {name.decode() for name in SAFE_HEADERS} <= set(answer.headers)
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_what_an_answer_says_about_itself_holds() -> None:
    async with client() as asking:
        answer = await asking.get("/relaxed")

    assert answer.headers.get_list("Cache-Control") == ["public"]
    assert answer.headers.get_list("X-Frame-Options") == ["SAMEORIGIN"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/v1/nothing", "/", "//", "/v1", "/v1/me/nothing", "/%00", "/é"])
async def test_an_unknown_path_is_404_in_the_shape_of_errors(world: World, path: str) -> None:
    async with world.client() as asking:
        answer = await asking.get(path)

    error = {"status": 404, "message": "Not Found", "reason": "not_found"}
    assert (answer.status_code, answer.json()) == (404, {"error": error})


async def test_a_method_that_a_path_lacks_is_405_and_names_those_it_has(world: World) -> None:
    async with world.client() as asking:
        answer = await asking.patch("/v1/me")

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE"}
    assert answer.json()["error"]["reason"] == "method_not_allowed"


async def test_options_says_what_is_allowed(world: World) -> None:
    async with world.client() as asking:
        answer = await asking.options("/v1/me")
        unknown = await asking.options("/v1/nothing")

    assert (answer.status_code, answer.content) == (204, b"")
    assert "PUT" in answer.headers["Allow"]
    assert unknown.status_code == 404


async def test_head_answers_as_get_does(world: World) -> None:
    account = await world.account()

    async with world.client(account) as asking:
        for path in ("/v1/me", "/v1/me/listening/minutes", "/healthz"):
            same = {"x-request-id": "one"}
            head = await asking.head(path, headers=same)
            get = await asking.get(path, headers=same)
            assert (head.status_code, head.headers) == (get.status_code, get.headers)


@pytest.mark.parametrize("path", ["/v1/me", "/v1/me/listening/minutes", "/healthz"])
async def test_a_trailing_slash_changes_nothing(world: World, path: str) -> None:
    account = await world.account()

    async with world.client(account) as asking:
        plain, slashed = await asking.get(path), await asking.get(f"{path}/")

    assert plain.status_code == slashed.status_code == 200
    assert plain.content == slashed.content


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 415, 422, 429])
def test_an_error_writes_itself_in_one_shape(status: int) -> None:
    error = ApiError(status, "why", "name")

    assert error.response().status_code == status
    assert error.response().body == (
        b'{"error":{"status":%d,"message":"why","reason":"name"}}' % status
    )
