"""Answers of a real uvicorn, and with how many writes they come."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http import auto

from heartline.one_write import MOST_BYTES, OneWrite, write_at_once

REQUEST = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that notes what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.fixture
async def transport(wire: Wire) -> OneWrite:
    return OneWrite(wire, asyncio.get_running_loop())


async def test_writes_of_one_turn_go_out_together(wire: Wire, transport: OneWrite) -> None:
    transport.write(b"head ")
    transport.write(b"body")
    await asyncio.sleep(0)
    transport.write(b"next")
    await asyncio.sleep(0)

    assert wire.sent == [b"head body", b"next"]


async def test_much_goes_out_without_waiting(wire: Wire, transport: OneWrite) -> None:
    transport.write(b"x" * MOST_BYTES)
    transport.write(b"y")

    assert wire.sent == [b"x" * MOST_BYTES + b"y"]
    await asyncio.sleep(0)
    assert len(wire.sent) == 1


async def test_what_waits_goes_out_before_the_end(wire: Wire, transport: OneWrite) -> None:
    transport.write(b"bye")
    transport.close()

    assert (wire.sent, wire.closed) == ([b"bye"], True)


async def test_nothing_is_sent_to_whoever_is_gone(wire: Wire, transport: OneWrite) -> None:
    transport.write(b"bye")
    wire.closed = True
    await asyncio.sleep(0)

    assert wire.sent == []


async def test_whatever_else_a_transport_does_is_its_own(transport: OneWrite) -> None:
    assert transport.is_closing() is False


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    size = int(scope["path"].strip("/"))
    headers = [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x" * size})


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(answer, lifespan="off", log_config=None, timeout_keep_alive=1)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await running


@pytest.mark.parametrize("size", [0, 100, 1_000_000])
async def test_an_answer_of_any_size_comes_whole_and_the_connection_stays(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(auto, "AutoHTTPProtocol", auto.AutoHTTPProtocol)
    write_at_once()
    write_at_once()

    async with served() as port, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(REQUEST % size)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert await reader.readexactly(size) == b"x" * size
        writer.close()
        await writer.wait_closed()


async def test_a_small_answer_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "AutoHTTPProtocol", auto.AutoHTTPProtocol)
    write_at_once()

    async with served() as port, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST % 100)
        whole = await reader.read(1 << 16)
        writer.close()
        await writer.wait_closed()

    assert whole.endswith(b"x" * 100)
