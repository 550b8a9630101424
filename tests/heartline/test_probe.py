import asyncio
import socket

import pytest

from heartline.probe import NOBODY_LISTENS, Answer, ask


async def answering(said: bytes) -> tuple[asyncio.Server, int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def probed(said: bytes) -> Answer | None:
    server, port = await answering(said)
    async with server:
        return await ask("127.0.0.1", port, "/healthz", timeout_s=5)


@pytest.mark.parametrize("status", [200, 401, 405, 503])
async def test_an_application_that_answers_is_alive(status: int) -> None:
    answer = await probed(f"HTTP/1.1 {status} X\r\nserver: uvicorn\r\n\r\n".encode())

    assert answer == Answer(status, from_front=False)
    assert answer.alive


async def test_what_the_front_end_answers_by_itself_is_no_sign_of_life() -> None:
    answer = await probed(b"HTTP/1.1 503 X\r\nX-Heartline-Front: starting\r\n\r\n")

    assert answer == Answer(503, from_front=True)
    assert not answer.alive


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", b"nonsense\r\n\r\n", b"a b\r\n\r\n"])
async def test_an_answer_that_is_none_is_silence(said: bytes) -> None:
    assert await probed(said) is None


async def test_silence_ends_with_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert await ask("127.0.0.1", server.getsockname()[1], "/", timeout_s=0.01) is None


async def test_nobody_listening_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert await ask("127.0.0.1", port, "/", timeout_s=5) == NOBODY_LISTENS
