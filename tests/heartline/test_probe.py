import asyncio
import socket
from pathlib import Path

import pytest

from heartline.probe import NOBODY_LISTENS, Answer, ask


async def answering(said: bytes, door: Path) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    return await asyncio.start_unix_server(answer, door)


async def probed(said: bytes, folder: Path) -> Answer | None:
    async with await answering(said, folder / "door"):
        return await ask(folder / "door", "/healthz", timeout_s=5)


@pytest.mark.parametrize("status", [200, 401, 405, 503])
async def test_an_application_that_answers_is_alive(tmp_path: Path, status: int) -> None:
    answer = await probed(f"HTTP/1.1 {status} X\r\nserver: uvicorn\r\n\r\n".encode(), tmp_path)

    assert answer == Answer(status, from_front=False)
    assert answer.alive


async def test_what_the_front_end_answers_by_itself_is_no_sign_of_life(tmp_path: Path) -> None:
    answer = await probed(b"HTTP/1.1 503 X\r\nX-Heartline-Front: starting\r\n\r\n", tmp_path)

    assert answer == Answer(503, from_front=True)
    assert not answer.alive


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", b"nonsense\r\n\r\n", b"a b\r\n\r\n"])
async def test_an_answer_that_is_none_is_silence(tmp_path: Path, said: bytes) -> None:
    assert await probed(said, tmp_path) is None


async def test_silence_ends_with_the_timeout(tmp_path: Path) -> None:
    door = tmp_path / "door"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(door))
        server.listen()
        assert await ask(door, "/", timeout_s=0.01) is None


async def test_nobody_listening_is_told_apart(tmp_path: Path) -> None:
    door = tmp_path / "door"
    assert await ask(door, "/", timeout_s=5) == NOBODY_LISTENS

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(door))

    assert await ask(door, "/", timeout_s=5) == NOBODY_LISTENS
