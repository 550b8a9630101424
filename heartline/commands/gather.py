"""`heartline gather`: a gatherer in the foreground."""

import argparse
import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine
from typing import Any

from heartline import wiring
from heartline.addresses import KAFKA_WANTS, KafkaAddress
from heartline.gathering import membership, spare_the_collector, topic_of
from heartline.settings import variable
from heartline.terminal import fail, note, say, say_json
from streams.gather import Tally, keep_gathering

TELL_S = 5.0


def run(options: argparse.Namespace) -> int:
    """Gather until Ctrl-C or SIGTERM."""
    settings = wiring.settings(options.data)
    address = KafkaAddress.parse(settings.log)
    if address is None:
        fail(f"there is nothing to gather: {variable('log')} wants {KAFKA_WANTS}", 2)
    note(f"gathers {topic_of(address)} of {address.servers}; Ctrl-C ends it")
    spare_the_collector()
    tally = Tally()
    asyncio.run(_until_told(keep_gathering(membership(settings, address, tally), tally), tally))
    if options.json:
        say_json({"gathered": tally.gathered, "refused": dict(sorted(tally.refused.items()))})
    else:
        say(_line(tally))
    return 0


async def _until_told(gathering: Coroutine[Any, Any, None], tally: Tally) -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    tasks = [asyncio.create_task(gathering), asyncio.create_task(_tell(tally))]
    await told.wait()
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)


async def _tell(tally: Tally) -> None:
    """Say every few seconds how it goes, while something comes."""
    before, before_s = 0, time.monotonic()
    while True:
        await asyncio.sleep(TELL_S)
        done, now_s = tally.gathered + tally.refused.total(), time.monotonic()
        if done > before:
            note(f"{_line(tally)}, {(done - before) / (now_s - before_s):,.0f} records/s")
        before, before_s = done, now_s


def _line(tally: Tally) -> str:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(tally.refused.items()))
    return f"{tally.gathered:,} gathered, {tally.refused.total():,} refused" + (
        f" ({reasons})" if reasons else ""
    )
