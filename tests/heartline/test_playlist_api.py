from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from heartline.commands.playlist_api import WAITS_S, NotOurs, PlaylistApi, RequestRefused
from heartline.poster import ServerAway


class Line(httpx.AsyncBaseTransport):
    """A server that says what it was told to, one after the other."""

    def __init__(self, *said: httpx.Response | httpx.TransportError) -> None:
        self.said = list(said)
        self.keys: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers.get("idempotency-key", ""))
        said = self.said.pop(0)
        if isinstance(said, httpx.TransportError):
            raise said
        return said


async def asked(line: Line) -> tuple[Any, Sequence[float]]:
    """Tell what was answered, and for how long it was waited."""
    waits: list[float] = []

    async def sleep(wait_s: float) -> None:
        waits.append(wait_s)

    async with httpx.AsyncClient(transport=line, base_url="http://here") as client:
        api = PlaylistApi(client, lambda: "t", sleep)
        return await api.ask("POST", "/v1/me/playlists", body={}, key="k"), waits


async def test_what_fails_for_now_is_asked_again_with_the_same_key() -> None:
    line = Line(
        httpx.ConnectError("refused"),
        httpx.Response(503),
        httpx.Response(429, headers={"retry-after": "3"}),
        httpx.Response(201, json={"id": "x"}),
    )

    assert await asked(line) == ({"id": "x"}, [0.25, 0.5, 3.0])
    assert line.keys == ["k"] * 4


async def test_patience_ends() -> None:
    line = Line(*[httpx.ReadTimeout("")] * (1 + len(WAITS_S)))

    with pytest.raises(ServerAway, match="no Heartline answers at http://here"):
        await asked(line)
    assert not line.said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            httpx.Response(404, json={"error": {"status": 404, "message": "gone", "reason": "x"}}),
            r"the server refuses \(404\): gone",
        ),
        (httpx.Response(405, text="<html>"), r"the server refuses \(405\): Method Not Allowed"),
        (httpx.Response(400, json={"error": "x"}), r"the server refuses \(400\): Bad Request"),
    ],
    ids=["ours", "html", "json"],
)
async def test_refusals_are_told_in_the_servers_words(answer: httpx.Response, said: str) -> None:
    with pytest.raises(RequestRefused, match=said):
        await asked(Line(answer))


async def test_what_is_no_answer_of_ours_is_refused() -> None:
    with pytest.raises(NotOurs):
        await asked(Line(httpx.Response(200, text="<html>")))
