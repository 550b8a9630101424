"""`heartline replay`: finds the server and makes the tokens; `heartline.replay` does the rest."""

import argparse
import asyncio

from heartline import replay, wiring
from heartline.commands.bearer import mint
from heartline.supervisor import running_url
from heartline.terminal import fail


def run(options: argparse.Namespace) -> int:
    """Send a history to the `up` that runs on the data directory, or to --url."""
    url = options.url or running_url(options.data)
    if url is None:
        fail(f"no `heartline up` runs on {options.data}: start it, or name a server with --url")
    token = asyncio.run(mint(options.data, options.name, ["listener"]))
    return replay.run(options, url=url, token=token, now_ms=wiring.now_ms)
