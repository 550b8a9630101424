"""Requests to OpenSearch: on another node when one fails, and again after pauses for a while."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from opensearchpy import AsyncOpenSearch
from opensearchpy.exceptions import ConnectionError as ConnectionLost
from opensearchpy.exceptions import OpenSearchException, TransportError

from domain.errors import Unavailable

PASSING = frozenset({429, 500, 502, 503, 504})  # statuses of what may be done a moment later
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
DEAD_S, DOUBLINGS = 1.0, 3  # for so long a node that failed is not asked, doubled if it fails again
CONNECTIONS = 64  # to each node
NDJSON = "application/x-ndjson"
TOLD = 200  # characters of what it says


class NotDone(Unavailable):
    """Raised when OpenSearch refuses what would be refused again."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status, self.reason = status, reason

    def __str__(self) -> str:
        return f"OpenSearch refuses it ({self.status}): {self.reason[:TOLD]}"


class Patience:
    """How long something is tried again; the pauses grow, and *jitter* draws from 0 to 1."""

    def __init__(self, patience_s: float, jitter: Callable[[], float]) -> None:
        self._until_s = asyncio.get_running_loop().time() + patience_s
        self._pause_s, self._jitter = FIRST_PAUSE_S, jitter

    async def pause(self) -> bool:
        """Wait before another attempt; False if there shall be none."""
        wait_s = self._pause_s * (1 + self._jitter())
        if asyncio.get_running_loop().time() + wait_s > self._until_s:
            return False
        await asyncio.sleep(wait_s)
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        return True


class OpenSearchSession:
    """Asks the nodes of a cluster, ``http://host:port`` each, from one event loop.

    An attempt on one node takes *attempt_s* at most, and none begins after *patience_s*; so whoever
    asks knows after the sum of both.
    """

    def __init__(
        self,
        nodes: Sequence[str],
        *,
        login: tuple[str, str] | None,
        jitter: Callable[[], float],
        attempt_s: float,
        patience_s: float,
    ) -> None:
        self._jitter, self._attempt_s, self._patience_s = jitter, attempt_s, patience_s
        self._client = AsyncOpenSearch(
            hosts=list(nodes),
            http_auth=login,
            timeout=attempt_s,
            max_retries=len(nodes),
            retry_on_timeout=True,
            retry_on_status=tuple(PASSING),
            pool_maxsize=CONNECTIONS,
            dead_timeout=DEAD_S,
            timeout_cutoff=DOUBLINGS,
        )

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        failed: Callable[[Any], TransportError | None] = lambda _: None,
        **params: object,
    ) -> Any:
        """Make a request that may be repeated; *failed* tells of an answer that is none.

        :raises NotDone: if it is refused; `Unavailable` if it failed until patience ended.
        """
        try:
            async with asyncio.timeout(self._patience_s + self._attempt_s):
                return await self._patiently(lambda: self._once(method, path, body, params), failed)
        except TimeoutError:
            raise Unavailable("OpenSearch does not answer in time") from None

    def patience(self) -> Patience:
        """Begin to be patient."""
        return Patience(self._patience_s, self._jitter)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    async def _patiently(
        self,
        attempt: Callable[[], Awaitable[Any]],
        failed: Callable[[Any], TransportError | None],
    ) -> Any:
        patience = self.patience()
        while True:
            try:
                answer = await attempt()
                if (error := failed(answer)) is None:
                    return answer
                raise error
            except OpenSearchException as error:
                if (status := _final_status(error)) is not None:
                    raise NotDone(status, _said(error)) from error
                if not await patience.pause():
                    raise Unavailable(f"OpenSearch does not answer: {_said(error)}") from error

    async def _once(self, method: str, path: str, body: Any, params: Mapping[str, object]) -> Any:
        return await self._client.transport.perform_request(
            method,
            path,
            params=dict(params),
            body=body,
            headers={"content-type": NDJSON} if isinstance(body, bytes) else None,
        )


def _final_status(error: OpenSearchException) -> int | None:
    """Tell the status of a refusal; None if the same may succeed a moment later."""
    if isinstance(error, TransportError) and isinstance(error.status_code, int):
        return None if error.status_code in PASSING else error.status_code
    return None


def _said(error: OpenSearchException) -> str:
    """Say in a line what went wrong, without an address."""
    if not isinstance(error, TransportError) or isinstance(error, ConnectionLost):
        return type(error).__name__
    if isinstance(error.info, Mapping) and isinstance(told := error.info.get("error"), Mapping):
        return f"{told.get('type')}: {told.get('reason')}"[:TOLD]
    return str(error.error)[:TOLD]
