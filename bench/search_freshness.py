"""How long after its upload a track can be found, through the real `heartline up`, on each engine.

Tracks are uploaded at a steady pace into a catalogue that has some already, each with a word in its
title that no other has; that word is searched for again and again until it is found. Counted is from
when the upload was sent. An index is committed every second and read anew four times a second, so half a
second to a second and a half is what to expect.
The index is filled before: while it is not, uploads wait for that, up to 14 s here on OpenSearch.
Seen: ``bench/results/search_freshness.json``: a second on either engine. The 99th percentile was 9 s on
OpenSearch as long as the first uploads after a start waited until the indexer had read all tracks, page by
page, for the plays that the index has of them; it follows the log meanwhile now.
"""

import argparse
import asyncio
import os
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles

import aiohttp

from bench.report import Figure, Goal, report
from bench.rig.accounts import make_accounts
from bench.rig.engines import opensearch
from bench.rig.servers import KEPT
from bench.rig.up import scratch, up
from domain.ids import base62
from heartline import wiring
from heartline.catalogues import catalogue_log_of, changing
from heartline.searching import indexer, open_writer
from heartline.synthetic.catalogue import synthetic_catalogue
from stores.accounts import Scope
from tests.servers.programs import Missing

SEED = 6
ARTIST = "newcomer"
TOGETHER = 5_000
UPLOADS_A_SECOND = 2
LOOK_S = 0.05
FRESH_S = 5.0
PATIENCE_S = 60.0


async def stocked(data: Path, tracks: int) -> str:
    """Make a catalogue of synthetic tracks; tells a token of one who may change it and search it."""
    settings = wiring.settings(data)
    async with (
        wiring.store(settings, make=True) as tables,
        changing(settings, tables, still_s=0.0) as change,
    ):
        for block in synthetic_catalogue(tracks, seed=SEED):
            everything = [*block.artists, *block.albums, *block.tracks]
            for begin in range(0, len(everything), TOGETHER):
                await change.publish(everything[begin : begin + TOGETHER])
        async with catalogue_log_of(settings) as log:
            writer = open_writer(settings)
            await indexer(tables, log, writer).begin()
            await writer.close()
    (account,) = await make_accounts(data, 1, "label", Scope.LABEL)
    return wiring.tokens(data).sign(account.listener_id, [Scope.LABEL, Scope.LISTENER])


async def uploaded(session: aiohttp.ClientSession, url: str) -> float:
    """Upload a track and look for it; tells the seconds until it was found."""
    word = base62(os.urandom(16)).lower()
    track = {"name": f"A {word} Song", "duration_ms": 1_000, "artists": [ARTIST]}
    began_s = time.perf_counter()
    async with session.put(f"{url}/v1/catalogue/tracks/{word}", json=track) as answer:
        answer.raise_for_status()
    while (took_s := time.perf_counter() - began_s) < PATIENCE_S:
        query = {"q": word, "type": "track"}
        async with session.get(f"{url}/v1/search", params=query) as answer:
            if answer.ok and (await answer.json())["tracks"]["items"]:
                return time.perf_counter() - began_s
        await asyncio.sleep(LOOK_S)
    return took_s


async def measured(data: Path, arguments: argparse.Namespace) -> list[float]:
    """Upload one after the other, at their pace, whatever became of those before."""
    token = await stocked(data, arguments.tracks)
    with up(data) as running:
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            artist = f"{running.url}/v1/catalogue/artists/{ARTIST}"
            async with session.put(artist, json={"name": "A Newcomer"}) as answer:
                answer.raise_for_status()
            await uploaded(session, running.url)
            tasks = []
            for _ in range(arguments.uploads):
                tasks.append(asyncio.create_task(uploaded(session, running.url)))
                await asyncio.sleep(1 / UPLOADS_A_SECOND)
            return await asyncio.gather(*tasks)


def on_opensearch(arguments: argparse.Namespace) -> list[float]:
    """Measure on a node of its own; nothing where there can be none."""
    try:
        with ExitStack() as stack:
            node = stack.enter_context(opensearch())
            os.environ["HEARTLINE_SEARCH"] = node.address
            KEPT.add("HEARTLINE_SEARCH")
            return asyncio.run(measured(stack.enter_context(scratch()), arguments))
    except Missing as missing:
        print(f"OpenSearch is not measured: {missing}")
        return []


def main() -> None:
    """Measure, and hand in."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tracks", type=int, default=100_000, help="that are there before")
    parser.add_argument("--uploads", type=int, default=200)
    arguments = parser.parse_args()
    with scratch() as data:
        runs = {"tantivy": asyncio.run(measured(data, arguments))}
    runs["OpenSearch"] = on_opensearch(arguments)
    percents = {name: quantiles(took_s, n=100) for name, took_s in runs.items() if took_s}
    report(
        "search_freshness",
        [
            Goal(f"{name}, from upload to found, p99, s", FRESH_S, percent[98], at_most=True)
            for name, percent in percents.items()
        ],
        figures=[
            Figure(f"{name}, from upload to found, p50", percent[49], "s")
            for name, percent in percents.items()
        ],
    )


if __name__ == "__main__":
    main()
