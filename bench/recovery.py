"""Recovery of a shard that is killed with -9 while it holds 200 000 active listeners, to lag zero.

A live crowd: every listener a heartbeat each 30 s, through HTTP, all in one shard, with the default
commit window of 30 s; it goes on while the shard is dead. The time runs from the kill until the new
shard holds every partition and has applied everything that is in the log.

Predicted: a second and a half for the process, then a replay of up to a window, 200 000 heartbeats, at
the speed of the store: five rows are read for each listener, at 5 µs each, so five seconds, less for
those not yet heard in this window.
Seen at first: 10 to 13 s, nearly all of it one thread that took 60 µs a listener, a third for
installing rows into the fold (a call of a kernel for each), a third for reading them (3.8 µs a row).
Now one call installs all of a batch's rows of a table, and up to 128 keys are read with one statement
in their order: 15 µs a listener, and 5 s in all. What would come next: rows of several tables of a
listener side by side, so that one search finds them.
"""

import argparse
import asyncio
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.report import Figure, Goal, report
from bench.rig.crowd import BEAT_S, Crowd
from bench.rig.up import Up, scratch, up
from heartline import wiring
from stores.accounts import Scope
from tests.end_to_end.chaos.target import Target

GOAL_S = 10.0
LOOK_S = 0.05
LIMIT_S = 300.0
PATIENCE_S = 10.0


class Watch:
    """Asks the status, as an operator."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S)

    def status(self) -> dict[str, Any]:
        """Tell what ``/v1/status`` tells; an empty document while it does not."""
        try:
            answer = self._client.get("/v1/status")
        except httpx.HTTPError:
            return {}
        told: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        return told

    def until_applied(self) -> None:
        """Wait until all that is in the log by now is applied; what comes meanwhile does not count."""
        began_s, target = time.monotonic(), Target()
        while time.monotonic() - began_s < LIMIT_S:
            if target.reached(self.status().get("partitions", ())):
                return
            time.sleep(LOOK_S)
        raise SystemExit(f"it never caught up: {target.behind}")

    def until_caught_up(self) -> float:
        """Wait until every partition is held and nothing is left to apply; the seconds it took."""
        began_s, told = time.monotonic(), dict[str, Any]()
        while time.monotonic() - began_s < LIMIT_S:
            told = self.status()
            held = sum(len(shard["partitions"]) for shard in told.get("shards", ()))
            if told and held == len(told["partitions"]) and told["lag"] == 0:
                return time.monotonic() - began_s
            time.sleep(LOOK_S)
        raise SystemExit(f"the shard never caught up: {told}")


async def tokens(data: Path) -> tuple[str, str]:
    """Make a gateway's and an operator's account; a token for each."""
    async with wiring.store(wiring.settings(data)) as tables:
        accounts = wiring.accounts(tables)
        signed = []
        for scope in (Scope.INGEST, Scope.OPERATOR):
            account = await accounts.create(
                scope.value, password=None, time_zone="UTC", scopes=[scope]
            )
            signed.append(wiring.tokens(data).sign(account.listener_id, [scope]))
    return signed[0], signed[1]


@dataclass(frozen=True, slots=True)
class Recovery:
    """One kill: the seconds to lag zero, the new shard's CPU seconds, what it replayed, whom it held."""

    took_s: float
    cpu_s: float
    records: int
    listeners: int


def kill_shard(running: Up, watch: Watch) -> Recovery:
    """Kill the shard, and wait until the next one has caught up."""
    before = watch.status()
    (shard,) = running.named("ray::_Shard")
    os.kill(shard, signal.SIGKILL)
    took_s = watch.until_caught_up()
    (shard,) = running.named("ray::_Shard")
    listeners = before["shards"][0]["listeners"]
    return Recovery(took_s, _cpu_s(shard), before["waiting"], listeners)


def _cpu_s(pid: int) -> float:
    """Tell how long a process has had a core."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--listeners", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=5)
    arguments = parser.parse_args()
    seen = list[Recovery]()
    with scratch() as data, up(data, "--shards", "1") as running:
        gateway, operator = asyncio.run(tokens(data))
        watch = Watch(running.url, operator)
        with Crowd(running.url, gateway, arguments.listeners) as crowd:
            while crowd.rounds < 1:
                time.sleep(LOOK_S)
            for number in range(arguments.kills):
                # Kills fall on different moments of a commit window.
                time.sleep(BEAT_S * (1 + number / arguments.kills))
                seen.append(kill_shard(running, watch))
                print(seen[-1])
    took = [each.took_s for each in seen]
    report(
        "recovery",
        [
            Goal.of_runs("s from kill -9 of the shard to lag zero", GOAL_S, took, at_most=True),
            Goal.of_runs(
                "listeners that it held", arguments.listeners, [each.listeners for each in seen]
            ),
        ],
        figures=[
            Figure("s to lag zero, the longest", max(took)),
            Figure.of_runs("s of a core that the new shard took", [each.cpu_s for each in seen]),
            Figure.of_runs("records that waited for a commit", [each.records for each in seen]),
            Figure("load average of the machine", os.getloadavg()[1]),
        ],
    )


if __name__ == "__main__":
    main()
