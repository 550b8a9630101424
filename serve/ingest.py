"""``POST /v1/heartbeats``: where heartbeats come in; what is answered with 202 is in the log."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from domain.heartbeat_items import Admission
from serve.appender import Appender, LogEnd
from serve.arrow_bodies import read_arrow
from serve.arrow_streams import ARROW
from serve.auth import Authenticate, Caller, require
from serve.endpoints import JSON, Endpoint, Link, routes
from serve.errors import ApiError
from serve.frame import application
from serve.heartbeat_bodies import HeartbeatsDocument, Taken
from serve.held_bodies import HeldBodies, Overloaded
from serve.ingest_metrics import IngestMetrics
from serve.inputs import JSON_TYPE, check_type, read_body
from serve.json_bodies import read_json
from serve.receipts import BadBody, Receipt
from serve.request_metrics import RequestMetrics
from stores.accounts import Scope

MOST_JSON_BYTES = 2 << 20
MOST_ARROW_BYTES = 16 << 20
MOST_HELD_BYTES = 256 << 20  # of bodies that are being read or wait for the log
RETRY_AFTER_S = 1
MOST_DECODING = (
    2  # Arrow bodies at once: each may grow to 64 MiB, and to three times that in between
)
LOOP_BYTES = 64 << 10  # an Arrow body up to here is read faster than a thread is woken

_TYPES = re.compile(f"{JSON_TYPE.pattern}|{re.escape(ARROW)}")
_encode = msgspec.json.Encoder().encode


class Ingest:
    """Takes heartbeats, appends them to the log, and only then says so."""

    def __init__(
        self,
        appender: Appender,
        *,
        late_limit_days: int,
        now_ms: Callable[[], int],
        metrics: IngestMetrics,
    ) -> None:
        self._appender, self._metrics = appender, metrics
        self._late_limit_days = late_limit_days
        self._now_ms = now_ms
        self._bodies = HeldBodies()
        self._turns = asyncio.Semaphore(MOST_DECODING)

    async def take(self, request: Request, caller: Caller) -> Response:
        """Take what a client or a gateway posts."""
        owner = _owner(caller)
        arrow = _is_arrow(request)
        if arrow:
            require(caller, Scope.INGEST)
        most_bytes = MOST_ARROW_BYTES if arrow else MOST_JSON_BYTES
        try:
            self._appender.check_room()
            with self._bodies.hold(MOST_HELD_BYTES) as arriving:
                body = await read_body(request, most_bytes=most_bytes, arriving=arriving)
                admission = Admission(owner, self._now_ms(), self._late_limit_days)
                taken = await self._decode(body, admission, arrow=arrow)
                self._metrics.received(taken.accepted, taken.rejected)
                if taken.accepted:
                    await self._appender.append(taken.rows, max(len(body), taken.size_bytes))
        except BadBody as error:
            raise ApiError(400, error.message, error.reason) from error
        except Overloaded as error:
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise ApiError(503, str(error), "overloaded", headers=headers) from error
        return Response(_encode(Receipt(taken.accepted, taken.rejected)), 202, media_type=JSON)

    async def _decode(self, body: bytes, admission: Admission, *, arrow: bool) -> Taken:
        if not arrow:
            return read_json(body, admission)
        if len(body) <= LOOP_BYTES:
            return read_arrow(body, admission)
        async with self._turns:
            return await asyncio.to_thread(read_arrow, body, admission)


def _owner(caller: Caller) -> str | None:
    """Whose heartbeats *caller* may post; None: anybody's."""
    if Scope.INGEST in caller.scopes:
        return None
    require(caller, Scope.LISTENER)
    return caller.listener_id


def _is_arrow(request: Request) -> bool:
    check_type(request, _TYPES, JSON)
    given = request.headers.get("content-type", JSON)
    return given.partition(";")[0].strip().lower() == ARROW


ENDPOINTS: tuple[Endpoint[Ingest], ...] = (
    Endpoint(
        "POST",
        "/v1/heartbeats",
        Ingest.take,
        summary="Say what is playing: 1 to 1 000 heartbeats. A gateway (scope ingest) says whose each"
        f" is, and may send an Arrow IPC stream ({ARROW}) of up to 100 000 rows",
        scope=None,
        body=HeartbeatsDocument,
        binary_types=(ARROW,),
        answers={202: Receipt},
        links=(
            Link("Minutes", "GET", "/v1/me/listening/minutes"),
            Link("Playing", "GET", "/v1/me/player"),
            Link("History", "GET", "/v1/me/player/recently-played"),
        ),
    ),
)


def build_ingest(
    *,
    log: LogEnd,
    authenticate: Authenticate,
    late_limit_days: int,
    now_ms: Callable[[], int],
    linger_ms: float = 4.0,
    metrics: IngestMetrics | None = None,
    requests: RequestMetrics | None = None,
) -> Starlette:
    """Make the application at ``/v1/heartbeats``: the hot path of writing."""
    metrics = metrics or IngestMetrics()
    appender = Appender(log, linger_ms=linger_ms, metrics=metrics)
    door = Ingest(appender, late_limit_days=late_limit_days, now_ms=now_ms, metrics=metrics)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await appender.close()

    return application(routes(ENDPOINTS, door, authenticate), lifespan=lifespan, requests=requests)
