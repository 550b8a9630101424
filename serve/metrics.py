"""``GET /metrics``: what Prometheus scrapes, in its text format."""

from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import Response

from serve.auth import Caller
from serve.endpoints import Endpoint
from stores.accounts import Scope

Exposition = Callable[[], Awaitable[bytes]]


class Metrics:
    """Answers with the metrics of every process."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    async def show(self, _request: Request, _caller: Caller) -> Response:
        """Give them."""
        return Response(await self._exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4)


ENDPOINTS: tuple[Endpoint[Metrics], ...] = (
    Endpoint(
        "GET",
        "/metrics",
        Metrics.show,
        summary="The metrics of every process, for Prometheus",
        scope=Scope.METRICS,
        answers={200: str},
        answer_type="text/plain",
    ),
)
