"""Is it alive, is it ready, how is it: for supervisors, load balancers and operators."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import Unavailable
from serve.auth import Caller
from serve.endpoints import Endpoint
from serve.errors import RETRY_AFTER_S, Error
from stores.accounts import Scope

CHECK_TIMEOUT_S = 2.0

Check = Callable[[], Awaitable[str | None]]  # None, or in a few words what is wrong

logger = logging.getLogger(__name__)


class Alive(Struct, frozen=True):
    """It answers."""

    status: str


class Ready(Struct, frozen=True):
    """Whether each thing that is needed can be reached: "ok", or what is wrong."""

    status: str
    checks: dict[str, str]


class NotReady(Struct, frozen=True):
    """The error document of 503, with what each check found."""

    error: Error
    checks: dict[str, str]


class Health:
    """Answers how the system is; *checks* by name, and *status* as a document.

    *asides* are checks of what may be away while everything else goes on: they are told only.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        status: Callable[[], Awaitable[Mapping[str, Any]]],
        asides: Mapping[str, Check] = MappingProxyType({}),
    ) -> None:
        self._checks, self._status, self._asides = checks, status, asides

    async def alive(self, _request: Request, _caller: Caller) -> Response:
        """Answer."""
        return _json(Alive("ok"))

    async def ready(self, _request: Request, _caller: Caller) -> Response:
        """Try everything that is needed, all at once."""
        looks = {**self._asides, **self._checks}
        told = await asyncio.gather(*(found(name, run) for name, run in looks.items()))
        checks = dict(zip(looks, told, strict=True))
        wrong = [f"{name}: {checks[name]}" for name in self._checks if checks[name] != "ok"]
        if not wrong:
            return _json(Ready("ready", checks))
        error = Error(503, f"not ready: {'; '.join(wrong)}", "not_ready")
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        return _json(NotReady(error, checks), status=503, headers=headers)

    async def status(self, _request: Request, _caller: Caller) -> Response:
        """Show shards, lag, staleness, rows waiting."""
        return _json(await self._status())


def fresh(staleness_ms: Callable[[], Awaitable[int]], *, limit_ms: int) -> Check:
    """Make a check that rows are not further behind the log than *limit_ms*."""

    async def check() -> str | None:
        behind_ms = await staleness_ms()
        return f"{behind_ms // 1000} s behind" if behind_ms > limit_ms else None

    return check


async def found(name: str, run: Check) -> str:
    """Run a check: "ok", or what is wrong in a few words."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await run() or "ok"
    except TimeoutError:
        return "no answer"
    except Unavailable as error:
        logger.warning("check %s: %s", name, error)
    except Exception:
        # Ray's errors are many, and readiness must say no to all of them.
        logger.exception("check %s", name)
    return "unavailable"


def _json(
    document: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    body = msgspec.json.encode(document)
    return Response(body, status_code=status, headers=headers, media_type="application/json")


ENDPOINTS: tuple[Endpoint[Health], ...] = (
    Endpoint(
        "GET",
        "/healthz",
        Health.alive,
        summary="Is the process alive",
        public=True,
        answers={200: Alive},
    ),
    Endpoint(
        "GET",
        "/readyz",
        Health.ready,
        summary="Can everything that is needed be reached, and are rows fresh",
        public=True,
        answers={200: Ready, 503: NotReady},
    ),
    Endpoint(
        "GET",
        "/v1/status",
        Health.status,
        summary="Shards, lag, staleness, rows waiting",
        scope=Scope.OPERATOR,
        answers={200: dict[str, Any]},
    ),
)
