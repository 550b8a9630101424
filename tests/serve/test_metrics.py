"""What requests and heartbeats leave behind in numbers, and who may read them."""

from collections.abc import AsyncIterator, Sequence
from itertools import count

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample
from starlette.requests import Request

from domain.errors import Unavailable
from domain.units import DAY_MS, HOUR_MS
from serve.auth import Caller
from serve.ingest import build_ingest
from serve.ingest_metrics import IngestMetrics
from serve.request_metrics import RequestMetrics
from stores.accounts import Scope
from tests.serve.bodies import LATE_LIMIT_DAYS, NOW_MS, beat
from tests.serve.recording_log import RecordingLog
from tests.serve.world import World

PATH = "/v1/heartbeats"


class Counted:
    """The door of ingest over a recording log, and what it counts; each clock reading is 4 ms later."""

    def __init__(self) -> None:
        self.registry, self.log, readings = CollectorRegistry(), RecordingLog(), count()
        self.app = build_ingest(
            log=self.log,
            authenticate=self._anybody,
            late_limit_days=LATE_LIMIT_DAYS,
            now_ms=lambda: NOW_MS,
            linger_ms=0,
            metrics=IngestMetrics(self.registry),
            requests=RequestMetrics(self.registry, lambda: next(readings) * 0.004),
        )

    async def _anybody(self, _request: Request) -> Caller:
        return Caller("ann", frozenset({Scope.LISTENER}))

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"heartline_{name}", labels)

    async def post(self, *beats: object, path: str = PATH) -> int:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
            return (await client.post(path, json={"heartbeats": beats})).status_code


@pytest.fixture
async def counted() -> AsyncIterator[Counted]:
    made = Counted()
    async with made.app.router.lifespan_context(made.app):
        yield made


async def test_prometheus_sees_what_it_scrapes_and_nobody_else_does(world: World) -> None:
    scraper = await world.account("prometheus", Scope.METRICS)
    operator = await world.account("root", Scope.OPERATOR)

    async with world.client(scraper) as client:
        answer = await client.get("/metrics")
        other = await client.get("/v1/status")
    async with world.client(operator) as client:
        refused = await client.get("/metrics")

    assert answer.text == "heartline_staleness_seconds 1.0\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert (refused.status_code, other.status_code) == (403, 403)


async def test_heartbeats_are_counted_by_what_became_of_them(counted: Counted) -> None:
    await counted.post(
        beat(), beat(id=7), beat(at=NOW_MS - 31 * DAY_MS), beat(at=NOW_MS + HOUR_MS), beat()
    )

    assert counted.value("heartbeats_received_total") == 5
    assert counted.value("heartbeats_acknowledged_total") == 2
    assert counted.value("heartbeats_rejected_total", reason="too_old") == 1
    assert counted.value("heartbeats_rejected_total", reason="in_the_future") == 1
    assert counted.value("heartbeats_rejected_total", reason="invalid") == 1
    assert (counted.value("append_rows_count"), counted.value("append_rows_sum")) == (1, 2)


async def test_what_the_log_did_not_take_is_not_acknowledged(counted: Counted) -> None:
    counted.log.failures.append(Unavailable("away"))

    assert await counted.post(beat()) == 503

    assert counted.value("heartbeats_received_total") == 1
    assert counted.value("heartbeats_acknowledged_total") == 0
    assert counted.value("append_seconds_count") == 0


async def test_requests_are_counted_and_timed_by_template_and_status(counted: Counted) -> None:
    await counted.post(beat())
    await counted.post(beat())
    await counted.post()

    seconds = "http_request_seconds"
    assert counted.value(f"{seconds}_count", path=PATH, status="202") == 2
    assert counted.value(f"{seconds}_count", path=PATH, status="400") == 1
    assert counted.value(f"{seconds}_sum", path=PATH, status="202") == pytest.approx(0.008)
    assert counted.value(f"{seconds}_bucket", path=PATH, status="202", le="0.0025") == 0
    assert counted.value(f"{seconds}_bucket", path=PATH, status="202", le="0.005") == 2
    assert counted.value(f"{seconds}_bucket", path=PATH, status="202", le="+Inf") == 2


async def test_paths_that_clients_make_up_are_one_label(counted: Counted) -> None:
    for number in range(5):
        await counted.post(path=f"/v1/made/up/{number}")

    told = {label for each in counted.registry.collect() for label in paths(each.samples)}
    assert told == {"other"}


def paths(samples: Sequence[Sample]) -> set[str]:
    return {sample.labels["path"] for sample in samples if "path" in sample.labels}


@pytest.mark.parametrize(("seconds", "bound"), [(0.001, "0.001"), (0.0010001, "0.0025")])
def test_a_bound_belongs_to_its_bucket(seconds: float, bound: str) -> None:
    registry = CollectorRegistry()
    metrics = RequestMetrics(registry)

    metrics.took("/", 200, seconds)

    labels = {"path": "/", "status": "200"}
    name = "heartline_http_request_seconds_bucket"
    values = [registry.get_sample_value(name, labels | {"le": le}) for le in ("0.001", "0.0025")]
    assert values == ([1, 1] if bound == "0.001" else [0, 1])
