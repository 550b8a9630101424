"""One person's real year, through HTTP, log, shards and store, against what its files say."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.end_to_end import history_oracle

FILES = sorted(
    Path(__file__).parents[2].parent.glob("shared/data/spotify_export/StreamingHistory*.json")
)
HEARTLINE = Path(sys.executable).with_name("heartline")
ZONES = {"kolkata": "Asia/Kolkata", "new-york": "America/New_York"}
READY = "Heartline is ready at "
SETTINGS = {"HEARTLINE_LATE_LIMIT_DAYS": "500", "HEARTLINE_COMMIT_WINDOW_MS": "1000"}
PATIENCE_S = 120.0

pytestmark = [
    pytest.mark.beside,
    pytest.mark.end_to_end,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not FILES, reason="the real history (shared/data) is not there"),
    pytest.mark.skipif(not HEARTLINE.exists(), reason="the command `heartline` is not installed"),
]


@dataclass
class Running:
    """An `up` with the accounts of both zones, each with the whole history."""

    data: Path
    client: httpx.Client
    tokens: dict[str, str]
    replayed: dict[str, dict[str, Any]]

    def get(self, name: str, path: str) -> dict[str, Any]:
        answer = self.client.get(path, headers={"authorization": f"Bearer {self.tokens[name]}"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def week(self, name: str, week: str) -> dict[str, Any]:
        return self.get(name, f"/v1/me/listening/minutes?week={week}")

    def wait_until_counted(self) -> None:
        """Wait until all that was acknowledged by now is in the numbers."""
        now = datetime.fromtimestamp(time.time_ns() / 1e9, UTC)
        deadline = time.monotonic() + PATIENCE_S
        while min(self.as_of(name) for name in ZONES) < now:
            assert time.monotonic() < deadline, "the numbers stay behind"
            time.sleep(0.2)

    def as_of(self, name: str) -> datetime:
        return datetime.fromisoformat(self.week(name, "current")["as_of"])


def heartline(data: Path, *words: str) -> str:
    command = [str(HEARTLINE), *words, "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def replay(data: Path, name: str, *words: str) -> dict[str, Any]:
    files = [str(file) for file in FILES]
    told = heartline(data, "replay", *files, "--as", name, "--at-once", "--json", *words)
    found: dict[str, Any] = json.loads(told)
    return found


@contextmanager
def up(data: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(HEARTLINE), "up", "--data", str(data), "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **SETTINGS}
    ) as process:
        assert process.stdout is not None
        try:
            line = next((line for line in process.stdout if line.startswith(READY)), "")
            assert line, "it ended before it was ready"
            yield line.removeprefix(READY).strip()
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(60)
    assert status == 0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("real-history") / "data"
    with up(data) as url, httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        for name, zone in ZONES.items():
            heartline(data, "account", "create", name, "--time-zone", zone)
        tokens = {name: heartline(data, "token", name) for name in ZONES}
        replayed = {name: replay(data, name) for name in ZONES}
        ready = Running(data, client, tokens, replayed)
        ready.wait_until_counted()
        yield ready


@pytest.fixture(scope="module")
def intervals(running: Running) -> list[history_oracle.Interval]:
    """The history's plays, moved as the replay said."""
    weeks = {told["shift_weeks"] for told in running.replayed.values()}
    assert len(weeks) == 1
    return history_oracle.moved(history_oracle.read(FILES), weeks.pop())


@pytest.mark.parametrize("name", ZONES)
def test_everything_was_sent_and_taken(running: Running, name: str) -> None:
    told = running.replayed[name]

    assert told["plays"] == 28_905
    assert told["accepted"] == told["heartbeats"] > 140_000
    assert told["rejected"] == {}


def test_it_was_moved_by_the_most_whole_weeks(intervals: list[history_oracle.Interval]) -> None:
    behind_ms = time.time_ns() // 1_000_000 - max(end for _, end in intervals)

    assert 0 <= behind_ms < history_oracle.WEEK_MS + 10 * history_oracle.MINUTE_MS


def expected_weeks(
    intervals: list[history_oracle.Interval], name: str
) -> dict[str, dict[str, dict[str, int]]]:
    return history_oracle.weeks(history_oracle.hours(intervals, ZONES[name]))


@pytest.mark.parametrize("name", ZONES)
def test_every_week_day_and_hour_is_what_the_files_say(
    running: Running, intervals: list[history_oracle.Interval], name: str
) -> None:
    expected = expected_weeks(intervals, name)

    told = {week: running.week(name, week) for week in expected}

    found = {
        week: {day["date"]: day["hours"] for day in answer["days"]} for week, answer in told.items()
    }
    assert len(expected) == 53
    assert found == expected
    assert all(answer["time_zone"] == ZONES[name] for answer in told.values())


@pytest.mark.parametrize("name", ZONES)
def test_the_sums_and_the_minutes_of_every_week_are_those_of_its_hours(
    running: Running, intervals: list[history_oracle.Interval], name: str
) -> None:
    for week, days in expected_weeks(intervals, name).items():
        told = running.week(name, week)
        of_days = [sum(hours.values()) for hours in days.values()]

        assert [day["listened_ms"] for day in told["days"]] == of_days
        assert [day["minutes"] for day in told["days"]] == [ms // 60_000 for ms in of_days]
        assert (told["listened_ms"], told["minutes"]) == (sum(of_days), sum(of_days) // 60_000)


@pytest.mark.parametrize("name", ZONES)
def test_before_the_first_week_nothing_was_listened(
    running: Running, intervals: list[history_oracle.Interval], name: str
) -> None:
    first_ms = min(start for start, _ in intervals)
    before = datetime.fromtimestamp(first_ms // 1000, UTC) - timedelta(days=9)

    assert running.week(name, history_oracle.week_of(before.date()))["listened_ms"] == 0


def history(running: Running, name: str) -> Iterator[dict[str, Any]]:
    """Page through recently-played to its end."""
    path: str | None = "/v1/me/player/recently-played?limit=50"
    while path:
        page = running.get(name, path)
        yield from page["items"]
        path = page["next"]


def test_the_history_has_every_play_with_what_was_played_of_it(
    running: Running, intervals: list[history_oracle.Interval]
) -> None:
    plays = list(history(running, "kolkata"))

    began = [datetime.fromisoformat(play["played_at"]) for play in plays]
    found = Counter(
        (round(at.timestamp() * 1000), play["ms_played"])
        for at, play in zip(began, plays, strict=True)
    )
    assert began == sorted(began, reverse=True)
    assert len({play["play_id"] for play in plays}) == len(plays) == 28_905
    assert found == Counter((start, end - start) for start, end in intervals)


def test_the_same_files_again_change_nothing(running: Running) -> None:
    weeks = running.replayed["kolkata"]["shift_weeks"]
    newest = next(history(running, "kolkata"))["played_at"]
    week = history_oracle.week_of(datetime.fromisoformat(newest).date())
    before = running.week("kolkata", week)

    again = replay(running.data, "kolkata", "--shift-weeks", str(weeks))
    running.wait_until_counted()

    after = running.week("kolkata", week)
    assert again == running.replayed["kolkata"]
    assert after | {"as_of": ""} == before | {"as_of": ""}
    assert sum(1 for _ in history(running, "kolkata")) == 28_905


def test_recounted_from_the_log_there_is_no_difference(running: Running) -> None:
    heartline(running.data, "recount")
