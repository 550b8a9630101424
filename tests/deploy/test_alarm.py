"""A real Prometheus, with the rules that we deploy, raises the alarm when rows grow old."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from heartline import wiring
from stores.accounts import Scope
from tests.serve.whole import Whole, serving
from tests.servers.programs import Missing, program
from tests.servers.prometheus import watching

PASSWORD = "correct horse battery"
PATIENCE_S, LOOK_S = 30.0, 0.1

pytestmark = pytest.mark.servers


class ShiftedClock:
    """The machine's clock, some time ahead."""

    ahead_ms = 0

    def __call__(self) -> int:
        return wiring.now_ms() + self.ahead_ms


def eventually(what: Callable[[], bool]) -> bool:
    """Wait until *what* holds; False if it does not in time."""
    until_s = time.monotonic() + PATIENCE_S
    while not what():
        if time.monotonic() > until_s:
            return False
        time.sleep(LOOK_S)
    return True


def listen(whole: Whole, at_ms: int) -> None:
    headers = {"Authorization": f"Bearer {whole.new_token()}"}
    beat = {"id": str(at_ms), "track_id": "t", "kind": "beat", "at": at_ms, "listener_id": "ann"}
    answer = httpx.post(f"{whole.url}/v1/heartbeats", headers=headers, json={"heartbeats": [beat]})
    assert answer.status_code == 202, answer.text


def test_the_alarm_is_raised_when_rows_are_five_minutes_old_and_ends_with_it(
    tmp_path: Path,
) -> None:
    try:
        program("prometheus", "prometheus")
    except Missing as missing:
        pytest.skip(str(missing))
    clock = ShiftedClock()

    with serving(tmp_path, clock) as whole:
        whole.new_account("prometheus", PASSWORD, Scope.METRICS)
        listen(whole, clock())
        host = whole.url.removeprefix("http://")
        with watching(tmp_path, host, PASSWORD) as prometheus:
            assert eventually(lambda: prometheus.health("heartline") == "up"), prometheus.health(
                "heartline"
            )
            assert "HeartlineStale" not in prometheus.firing()

            with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")  # nobody can write rows any more
                clock.ahead_ms = 301_000
                assert eventually(lambda: "HeartlineStale" in prometheus.firing())

            assert eventually(lambda: "HeartlineStale" not in prometheus.firing())
