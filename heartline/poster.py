"""Heartbeats on their way to a running Heartline, over HTTP: what `replay` and the crowd post with.

A post is sent again until it is answered: heartbeats are idempotent, so once too often does no harm.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx
import msgspec
from msgspec import UNSET, Struct, UnsetType

from domain.errors import Refused, Unavailable

MOST_BEATS = 1_000  # of one request
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 8.0
ATTEMPT_S = 30.0
AGAIN = frozenset({404, 408, 429, 500, 502, 503, 504})  # 404: Serve is about to start


class Beat(Struct, frozen=True, omit_defaults=True):
    """A heartbeat as clients write it; gateways, which post for many, say whose it is."""

    id: str
    track_id: str
    kind: str
    at: int
    play_id: str
    position_ms: int
    stretch: int = 0
    device_id: str | UnsetType = UNSET
    context: str | UnsetType = UNSET
    listener_id: str | UnsetType = UNSET


class Refusal(Struct, frozen=True):
    """One heartbeat that the server did not take: its place in the post, and why."""

    index: int
    reason: str


class Answer(Struct, frozen=True):
    """What the server says of one post."""

    accepted: int
    rejected: list[Refusal] = []


class ServerAway(Unavailable):
    """Raised when no server answers at a URL."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url, problem)
        self.url, self.problem = url, problem

    def __str__(self) -> str:
        return f"no Heartline answers at {self.url} ({self.problem})"


class PostRefused(Refused):
    """Raised when the server refuses a whole post, for what is no passing reason."""

    def __init__(self, url: str, status: int, message: str) -> None:
        super().__init__(url, status, message)
        self.url, self.status, self.message = url, status, message

    def __str__(self) -> str:
        return f"{self.url} answered {self.status}: {self.message}"


@dataclass(slots=True)
class Poster:
    """Posts heartbeats to one server, with patience.

    *token* makes a fresh bearer token: it is asked at first, and again when the server says 401.
    *patience_s* is how long one post is tried again while the server is away; None for ever.
    """

    client: httpx.AsyncClient  # its base_url is the server's
    token: Callable[[], str]
    patience_s: float | None = 60.0
    rng: random.Random = field(default_factory=random.Random)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _held: str = ""

    async def post(self, beats: Sequence[Beat]) -> Answer:
        """Post up to 1 000 heartbeats and return the server's answer.

        Raises
        ------
        ServerAway
            Nobody answered, or only with 429 and 5xx, until patience ended.
        PostRefused
            The server refuses the post as a whole.
        """
        body = msgspec.json.encode({"heartbeats": beats})
        waited, attempt, renewed = 0.0, 0, False
        while True:
            answer, problem, asked_s = await self._attempt(body)
            if answer is not None and answer.status_code == 401 and not renewed:
                self._held, renewed = "", True
                continue
            if answer is not None and answer.status_code not in AGAIN:
                return self._read(answer)
            if self.patience_s is not None and waited >= self.patience_s:
                raise ServerAway(str(self.client.base_url), problem)
            wait_s = max(asked_s, self._wait_s(attempt))
            waited, attempt = waited + wait_s, attempt + 1
            await self.sleep(wait_s)

    async def _attempt(self, body: bytes) -> tuple[httpx.Response | None, str, float]:
        self._held = self._held or self.token()
        headers = {"authorization": f"Bearer {self._held}", "content-type": "application/json"}
        try:
            answer = await self.client.post(
                "/v1/heartbeats", content=body, headers=headers, timeout=ATTEMPT_S
            )
        except httpx.TransportError as error:
            return None, str(error) or type(error).__name__, 0.0
        return answer, f"status {answer.status_code}", _retry_after_s(answer)

    def _wait_s(self, attempt: int) -> float:
        """Wait twice as long each time, at random down to a half of that."""
        longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * float(1 << min(attempt, 16)))
        return longest * self.rng.uniform(0.5, 1.0)

    def _read(self, answer: httpx.Response) -> Answer:
        if answer.status_code != 202:
            raise PostRefused(str(answer.url), answer.status_code, _message(answer))
        try:
            return msgspec.json.decode(answer.content, type=Answer)
        except msgspec.DecodeError as error:
            raise PostRefused(str(answer.url), 202, f"not Heartline's answer: {error}") from error


def _retry_after_s(answer: httpx.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return min(float(said), 60.0) if said.isdecimal() else 0.0


class _ErrorDetail(Struct):
    message: str


class _Error(Struct):
    error: _ErrorDetail


def _message(answer: httpx.Response) -> str:
    try:
        return msgspec.json.decode(answer.content, type=_Error).error.message
    except msgspec.DecodeError:
        return answer.reason_phrase
