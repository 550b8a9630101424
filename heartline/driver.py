"""The driver: `python -m heartline.driver`, a child of `heartline up`. It holds Ray and Ray Serve.

It is told what to do by one JSON document on standard input, stays until SIGTERM, and then stops in
the order in which nothing is lost: the doors first, then the log's reader, then the shards' commit.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from domain.errors import HeartlineError, Unavailable
from domain.positions import Generation
from heartline import nursery, wiring
from heartline.life import FAILURE_FILE
from heartline.logs import begin_logs
from heartline.operator_account import operator_account
from heartline.processes import die_with_parent
from heartline.settings import Settings

OBJECT_STORE_BYTES = 128 << 20  # hardly anything passes through it
CHECK_S = 1.0
LOGICAL_CPUS = 1  # our actors ask for none; Ray starts a spare worker for each

log = logging.getLogger("heartline.driver")  # __name__ is "__main__"


def main() -> int:
    """Start everything, wait for SIGTERM, stop everything."""
    die_with_parent()
    order = json.load(sys.stdin)
    if os.getppid() != order["supervisor"]:
        return 1  # it died before the kernel was told to have us die with it
    settings, run_dir = Settings.of_plain(order["settings"]), Path(order["run_dir"])
    nursery.begin(run_dir)  # before there is anything that a fork would lack, or have twice
    begin_logs(settings, role="driver")
    log.info("begins")
    try:
        generation = asyncio.run(settled(settings))
        log.info("generation %d with %d partitions", generation.number, generation.partitions)
        _run(settings, generation, run_dir)
    except HeartlineError as error:
        (run_dir / FAILURE_FILE).write_text(str(error))
        return 1
    return 0


async def settled(settings: Settings) -> Generation:
    """Tell the generation to go on with; makes what a first start needs. Nothing may run yet."""
    from heartline.catalogues import catalogue_log_of, settle_catalogue
    from heartline.consuming import align
    from heartline.generations import settle
    from stores.catalogue import Catalogue

    async with (
        wiring.store(settings, make=True) as tables,
        wiring.log_of(settings, make=True) as records,
        wiring.dead_letters_of(settings) as dead_letters,
    ):
        rows = wiring.listening(tables, settings)
        generation = await settle(
            records, rows, settings, now_ms=wiring.now_ms, dead_letters=dead_letters
        )
        with contextlib.suppress(Unavailable):  # members of a start that was killed are still in it
            await align(records, settings)
        async with catalogue_log_of(settings) as changes:
            await settle_catalogue(changes, Catalogue(tables))
        with contextlib.suppress(Unavailable):  # the next start makes it
            await operator_account(wiring.accounts(tables))
    wiring.note_start(settings)  # when nobody has the log open
    return generation


def _run(settings: Settings, generation: Generation, run_dir: Path) -> None:
    import ray
    from ray import serve

    from actors.shard_handles import NAMESPACE
    from heartline.applications import serve_applications
    from heartline.cataloguing import start_cataloguing
    from heartline.cluster import start_consumers
    from heartline.ray_node import fork_workers, start_only_what_is_needed, take_a_free_agent_port
    from heartline.warehousing import start_warehousing

    asked = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.set()

    start_only_what_is_needed()
    take_a_free_agent_port()
    fork_workers()
    ray.init(
        address="local",
        namespace=NAMESPACE,
        num_cpus=LOGICAL_CPUS,
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        log_to_driver=False,
        _temp_dir=str(run_dir / "ray"),
    )
    # Ray has set a handler of its own, which ends the process where it stands.
    signal.signal(signal.SIGTERM, ask)
    log.info("Ray runs")
    consumers = start_consumers(settings, generation)
    serve_applications(settings, generation)
    _others = start_cataloguing(settings), start_warehousing(settings)  # held, or Ray ends them
    log.info("everything runs")
    while not asked.wait(CHECK_S):
        consumers.check()
    serve.shutdown()  # type: ignore[no-untyped-call]
    consumers.stop()
    log.info("stopped")


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the supervisor ends Ray's processes faster than Ray does
