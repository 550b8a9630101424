"""Search and suggest over HTTP, a hundred requests a second that wait for nothing, on a synthetic catalogue.

Through the real `heartline up`, with its tantivy index in the data directory: each request is sent when
its time has come, and its latency counts from then, whatever came of those before. Queries are what
people type of the catalogue's own names: title and artist, title alone, artist alone, with an error,
without an end; suggestions are asked for after each letter from the first to the eighth. What is typed is
drawn from every 50th track, one that is twice as popular twice as often.

The documents are made, folded and indexed by one thread that feeds one writer thread of tantivy; making
entries is not counted, everything else is.

Seen at first: at a million tracks a search took 162 ms at the 99th percentile, 9 ms of a core each: one
replica was nearly full. It was the index, opened anew four times a second; dictionaries of five segments
looked through for each misspelt word; partial matches that went through all entries with a common word;
and threads that waited for the interpreter. Now a commit is opened once and remembers what was found in it,
an index is filled by a segment a million entries, partial matches go by the rarer words, and turns are
short: 35 ms, on a slower day 47; 5 to 6 ms of a core, a quarter in the engine, a quarter in what is shown,
the rest in ordering, HTTP and Serve. Full garbage collections stopped a replica for 100 ms each; there are
hardly any. Five million tracks, in six segments, are too many for a hundred searches a second on two
cores: both are full, and searches wait for one another.
A document takes 20 µs in Python, half of them for words that were not met before, 5 for handing it over,
and 13 in tantivy's thread; then 8 each until the segment is on the disk, in which Python has nothing to
do. That is 46 µs of two cores, so 50 000 a second were more than they have; keeping both at work all the
time would give 40 000.
To come: a second replica; segments half as large while an index is filled, put together afterwards.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from random import Random
from statistics import quantiles

import aiohttp

from bench.report import Figure, Goal, Plot, report
from bench.rig.up import scratch, up
from domain.entries import FAME_OF_POPULARITY, entry_of
from domain.search import Entry
from heartline import wiring
from heartline.catalogues import catalogue_log_of, changing
from heartline.searching import indexer, open_writer
from heartline.synthetic.catalogue import Block, synthetic_catalogue
from stores.tantivy_writer import TantivyWriter

RATE = 100  # requests a second
WARM = 200
CONNECTIONS = 64  # whoever waits for one waits at our expense
LETTERS = 8
PUBLISHED = 5_000
TOGETHER = 1_000
SEED = 6
SEARCH_MS, SUGGEST_MS, DOCUMENTS_A_SECOND = 50, 20, 50_000


@dataclass(slots=True)
class Seen:
    """What one size of the catalogue took."""

    tracks: int
    documents: int = 0
    documents_a_second: float = 0
    filled_a_second: float = 0
    index_bytes: int = 0
    search_ms: list[float] = field(default_factory=list)
    suggest_ms: list[float] = field(default_factory=list)


def entries_of(block: Block) -> list[Entry]:
    """Make the entries of a block."""
    artists = {artist.id: artist for artist in block.artists}
    albums = {album.id: album for album in block.albums}
    return [
        entry_of(entity, artists, albums, added_ms=1)
        for entity in (*block.artists, *block.albums, *block.tracks)
    ]


async def written(seen: Seen) -> None:
    """Write all entries to a new index and commit."""
    with scratch() as data:
        writer, took_s = TantivyWriter(data), 0.0
        for block in synthetic_catalogue(seen.tracks, seed=SEED):
            entries = entries_of(block)
            began_s = time.perf_counter()
            await writer.fill(entries)
            took_s += time.perf_counter() - began_s
            seen.documents += len(entries)
        began_s = time.perf_counter()
        await writer.commit(1)
        took_s += time.perf_counter() - began_s
        await writer.close()
        seen.index_bytes = sum(file.stat().st_size for file in data.rglob("*") if file.is_file())
    seen.documents_a_second = seen.documents / took_s


async def prepared(data: Path, seen: Seen) -> tuple[str, "Names"]:
    """Fill a catalogue and its index; tells a token, and names of which queries are made."""
    settings, names = wiring.settings(data), Names()
    async with wiring.store(settings, make=True) as tables:
        account = await wiring.accounts(tables).create("ann", password=None, time_zone="UTC")
        async with changing(settings, tables) as change:
            for block in synthetic_catalogue(seen.tracks, seed=SEED):
                everything = [*block.artists, *block.albums, *block.tracks]
                for begin in range(0, len(everything), PUBLISHED):
                    await change.publish(everything[begin : begin + PUBLISHED])
                names.add(block)
        async with catalogue_log_of(settings) as log:
            writer, began_s = open_writer(settings), time.perf_counter()
            await indexer(tables, log, writer).begin()
            seen.filled_a_second = seen.documents / (time.perf_counter() - began_s)
            await writer.close()
    token = wiring.tokens(data).sign(account.listener_id, account.scopes)
    return token, names


@dataclass(slots=True)
class Names:
    """Some titles with their artists, and how often they are asked for."""

    known: list[tuple[str, str]] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, block: Block) -> None:
        """Take some of a block's."""
        artists = {artist.id: artist.name for artist in block.artists}
        for track in block.tracks[::50]:
            self.known.append((track.name, artists[track.artists[0]]))
            self.weights.append(2 ** (track.popularity / FAME_OF_POPULARITY))

    def drawn(self, random: Random) -> Iterator[tuple[str, str]]:
        """Draw titles with their artists, for ever."""
        sums = list(accumulate(self.weights))
        while True:
            yield from random.choices(self.known, cum_weights=sums, k=TOGETHER)


def searches(names: Names, random: Random) -> Iterator[str]:
    """Type queries, for ever."""
    for title, artist in names.drawn(random):
        typed = random.choice([f"{title} {artist}", title, artist, f"{artist} {title}"])
        if random.random() < 0.3:
            typed = misspelt(typed, random)
        if len(typed) > 4 and random.random() < 0.2:
            typed = typed[: random.randint(4, len(typed))]
        if typed.strip():
            yield typed


def misspelt(text: str, random: Random) -> str:
    """Make one typing error."""
    at = random.randrange(len(text))
    return random.choice(
        [text[:at] + text[at + 1 :], text[:at] + "x" + text[at:], text[:at] + "x" + text[at + 1 :]]
    )


def beginnings(names: Names, random: Random) -> Iterator[str]:
    """Type names letter by letter, for ever."""
    for either in names.drawn(random):
        name = random.choice(either)
        for letters in range(1, min(LETTERS, len(name)) + 1):
            if name[:letters].strip():
                yield name[:letters]


async def asked(url: str, token: str, path: str, texts: Iterator[str], seconds: int) -> list[float]:
    """Ask at the rate that is to be held; tells what each took, in ms, from when it was due."""
    headers = {"Authorization": f"Bearer {token}"}
    took_ms: list[float] = []

    async def one(text: str, due_s: float) -> None:
        async with session.get(f"{url}{path}", params={"q": text}, headers=headers) as answer:
            await answer.read()
            answer.raise_for_status()
        took_ms.append((time.perf_counter() - due_s) * 1_000)

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        for _ in range(WARM):
            await one(next(texts), time.perf_counter())
        took_ms.clear()
        begin_s = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(seconds * RATE):
                due_s = begin_s + number / RATE
                await asyncio.sleep(max(due_s - time.perf_counter(), 0))
                group.create_task(one(next(texts), due_s))
    return took_ms


async def measured(tracks: int, seconds: int) -> Seen:
    """Measure one size."""
    seen, random = Seen(tracks), Random(SEED)  # noqa: S311
    await written(seen)
    with scratch() as data:
        token, names = await prepared(data, seen)
        with up(data) as running:
            url = running.url
            texts = searches(names, random)
            seen.search_ms = await asked(url, token, "/v1/search", texts, seconds)
            texts = beginnings(names, random)
            seen.suggest_ms = await asked(url, token, "/v1/suggest", texts, seconds)
    return seen


def percentile(values: Sequence[float], percent: int) -> float:
    """Tell the value below which so many percent lie."""
    return quantiles(values, n=100)[percent - 1]


def figures(seen: Seen) -> Iterator[Figure]:
    """Tell what one size took."""
    at = f"{seen.tracks:,} tracks"
    yield Figure(f"index, {at}", seen.index_bytes / seen.tracks, "MB a million tracks")
    yield Figure(f"documents indexed, {at}", seen.documents_a_second, "1/s")
    yield Figure(f"index filled from the store, {at}", seen.filled_a_second, "documents/s")
    for name, took_ms in (("search", seen.search_ms), ("suggest", seen.suggest_ms)):
        yield Figure(f"{name} p50, {at}", percentile(took_ms, 50), "ms")
        yield Figure(f"{name} p99, {at}", percentile(took_ms, 99), "ms")


def main() -> None:
    """Measure, and hand in."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tracks", type=int, default=1_000_000)
    parser.add_argument("--curve", type=int, nargs="*", default=[100_000, 5_000_000])
    parser.add_argument("--seconds", type=int, default=30)
    arguments = parser.parse_args()
    sizes = sorted({arguments.tracks, *arguments.curve})
    told = [asyncio.run(measured(tracks, arguments.seconds)) for tracks in sizes]
    (one,) = [seen for seen in told if seen.tracks == arguments.tracks]
    at = f"{one.tracks:,} tracks"
    goals = [
        Goal(f"search p99, {at}, ms", SEARCH_MS, percentile(one.search_ms, 99), at_most=True),
        Goal(f"suggest p99, {at}, ms", SUGGEST_MS, percentile(one.suggest_ms, 99), at_most=True),
        Goal("documents a second, one writer thread", DOCUMENTS_A_SECOND, one.documents_a_second),
    ]
    curves = {
        "search p99": [(seen.tracks, percentile(seen.search_ms, 99)) for seen in told],
        "suggest p99": [(seen.tracks, percentile(seen.suggest_ms, 99)) for seen in told],
    }
    plot = Plot("Search at 100 requests a second", "tracks", "ms", curves, limit=SEARCH_MS)
    report("search", goals, figures=[each for seen in told for each in figures(seen)], plots=[plot])


if __name__ == "__main__":
    main()
