"""Which requests a replica answers before Ray Serve sees them."""

import asyncio
from importlib import import_module

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heartline import shortcut
from heartline.shortcut import HOOK, Door, OneRequestId, Shortcut, middlewares, take_shortcut

PREFIX = "/v1/heartbeats"


def says(text: str) -> ASGIApp:
    return PlainTextResponse(text)


def client(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x")


@pytest.fixture(autouse=True)
def _no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortcut, "_doors", [])


@pytest.mark.parametrize(
    ("path", "who"),
    [
        (PREFIX, "door"),
        (PREFIX + "/", "door"),
        (PREFIX + "/x", "door"),
        (PREFIX + "x", "serve"),
        ("/-/healthz", "serve"),
        ("/", "serve"),
    ],
)
async def test_what_is_below_the_prefix_takes_the_shortcut(path: str, who: str) -> None:
    app = Shortcut(says("serve"), Door(says("door"), PREFIX, 1))

    async with client(app) as asking:
        for _ in range(3):  # each gives its place back
            assert (await asking.get(path)).text == who


async def test_what_is_no_request_goes_to_serve() -> None:
    seen: list[str] = []

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    app = Shortcut(serve, Door(says("door"), PREFIX, 1))
    nothing = asyncio.Queue[Message]()
    for kind in ("websocket", "lifespan"):
        await app({"type": kind, "path": PREFIX}, nothing.get, nothing.put)

    assert seen == ["websocket", "lifespan"]


async def test_more_than_so_many_at_once_go_to_serve() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        entered.set()
        await leave.wait()
        await says("door")(scope, receive, send)

    async with client(Shortcut(says("serve"), Door(slow, PREFIX, 1))) as asking:
        first = asyncio.create_task(asking.get(PREFIX))
        await entered.wait()
        assert (await asking.get(PREFIX)).text == "serve"
        leave.set()
        assert (await first).text == "door"


async def test_a_request_that_fails_gives_its_place_back() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    async with client(Shortcut(says("serve"), Door(broken, PREFIX, 1))) as asking:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await asking.get(PREFIX)


async def test_the_hook_puts_the_door_of_this_process_around_its_server() -> None:
    module, _, name = HOOK.partition(":")
    hook = getattr(import_module(module), name)
    assert hook is middlewares
    (usual,) = hook()
    assert usual.cls is OneRequestId  # type: ignore[comparison-overlap]

    take_shortcut(says("door"), prefix=PREFIX, at_once=1)
    (around,) = hook()

    async with client(around.cls(says("serve"), *around.args, **around.kwargs)) as asking:
        assert (await asking.get(PREFIX)).text == "door"


@pytest.mark.parametrize("ids", [[], ["ours"], ["ours", "serves"]])
async def test_of_two_request_ids_the_first_stays(ids: list[str]) -> None:
    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        given = [
            (name, each.encode())
            for name, each in zip((b"x-request-id", b"X-Request-ID"), ids, strict=False)
        ]
        headers = [given[0], (b"x-other", b"1"), *given[1:]] if given else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async with client(OneRequestId(answer)) as asking:
        told = (await asking.get("/")).headers

    assert told.get_list("x-request-id") == ids[:1]
    assert ("x-other" in told) == bool(ids)
