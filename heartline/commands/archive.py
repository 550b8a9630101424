"""`heartline archive`."""

import argparse
import asyncio
import logging
import signal

from heartline import wiring
from heartline.settings import Settings
from heartline.terminal import say, say_json
from heartline.warehouses import open_warehouse
from streams.archive import Archive


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
    async with wiring.log_of(settings) as log:
        archive = Archive(log, open_warehouse(settings, make=True))
        if once:
            await archive.write_all()
            await archive.tidy()
        else:
            await _until_told(archive)
        return archive.records


async def _until_told(archive: Archive) -> None:
    following = asyncio.ensure_future(archive.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, following.cancel)
    await asyncio.wait([following])
    if not following.cancelled():
        following.result()
