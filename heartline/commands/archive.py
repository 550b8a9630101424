"""`heartline archive`."""

import argparse
import asyncio
import logging
import signal

from heartline import wiring
from heartline.archiving import opened
from heartline.settings import Settings
from heartline.terminal import say, say_json
from streams.archive import keep_archiving
from streams.archive_metrics import ArchiveMetrics


def run(options: argparse.Namespace) -> int:
    """Carry heartbeats until told to stop, or until there are none left."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    records = asyncio.run(_run(wiring.settings(options.data), once=options.once))
    if options.json:
        say_json({"records": records})
    else:
        say(f"{records} records carried to the warehouse.")
    return 0


async def _run(settings: Settings, *, once: bool) -> int:
    async with opened(settings) as archive:
        if once:
            await archive.write_all()
            await archive.tidy()
            return archive.records
    return await _until_told(settings)


async def _until_told(settings: Settings) -> int:
    metrics = ArchiveMetrics()
    following = asyncio.ensure_future(
        keep_archiving(lambda: opened(settings, metrics), begin_s=0.0)
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, following.cancel)
    await asyncio.wait([following])
    return metrics.records
