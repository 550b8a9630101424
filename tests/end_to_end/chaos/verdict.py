"""What must hold in the end: the store equals the log, and both equal what was acknowledged."""

import random
import time
from datetime import UTC, datetime

import httpx

from domain.recount import quarters
from tests.end_to_end.chaos.instance import Instance
from tests.end_to_end.chaos.ledger import Ledger
from tests.end_to_end.chaos.load import now_ms
from tests.end_to_end.chaos.walk import BEGINS_AGO_MS, DAY_MS

APPLIED_S = 60.0


def check_sample(instance: Instance, ledger: Ledger, operator: str, *, most: int, seed: int) -> int:
    """Compare the listened time of some listeners over HTTP, exactly; how many there were.

    Raises
    ------
    AssertionError
        A number is not what was acknowledged.
    """
    _until_applied(instance)
    listeners = ledger.listeners()
    sample = random.Random(seed).sample(listeners, min(most, len(listeners)))
    headers = {"authorization": f"Bearer {operator}"}
    with httpx.Client(base_url=instance.url, headers=headers, timeout=30) as client:
        for listener_id in sample:
            expected = sum(quarters(ledger.heartbeats(listener_id)).values())
            assert _listened_ms(client, listener_id) == expected, listener_id
    return len(sample)


def check_recount(instance: Instance, ledger: Ledger) -> int:
    """Have everything counted again from the log; the heartbeats that it holds.

    Raises
    ------
    AssertionError
        The store differs from the log, or the log lacks what was acknowledged.
    """
    told = instance.command("recount", statuses=(0, 1))
    assert told["differences"] == []
    assert told["unreadable_records"] == 0
    assert told["heartbeats"] >= ledger.taken
    return int(told["heartbeats"])


def _until_applied(instance: Instance) -> None:
    end_s = time.monotonic() + APPLIED_S
    while told := instance.command("status")["waiting"]:
        assert time.monotonic() < end_s, f"{told} records are not in rows yet"


def _listened_ms(client: httpx.Client, listener_id: str) -> int:
    """Tell what was listened to in every week of the walk."""
    now = now_ms()
    days = [
        datetime.fromtimestamp(at_ms / 1000, UTC).isocalendar()
        for at_ms in range(now - BEGINS_AGO_MS - DAY_MS, now + 2 * DAY_MS, DAY_MS)
    ]
    weeks = sorted({f"{day.year}-W{day.week:02d}" for day in days})
    path = f"/v1/listeners/{listener_id}/listening/minutes"
    answers = [client.get(path, params={"week": week}).raise_for_status() for week in weeks]
    return sum(int(answer.json()["listened_ms"]) for answer in answers)
