"""From Kafka to a sink against Apache Flink SQL: heartbeats a second a core, 200 000 listeners' day.

Everybody listens for a quarter of an hour somewhere in the day: 30 heartbeats, 30 s apart, of tracks of
3.5 minutes; all of them in the order of time, single JSON records of 230 bytes on eight partitions.
Flink SQL 2.2 reads them, takes the time between neighbours of a listener and track (`LAG`), sums it by
listener and week, and discards it; it runs with parallelism 1, objects reused and small batches, once
with its state in memory and once on RocksDB, and once more as it comes; without checkpoints. It first
counts a sixth of the day, so that neither the start of Java nor most of its compiling is measured. Ours are a gatherer, which makes
batches of the same records, and a consumer (Faust, shard, commits) of those batches, whose rows go
nowhere; and the consumer once more with Cassandra behind it, for fewer listeners. It counts exactly,
whatever comes twice or late, and makes hours, weeks and plays, which the peer does not.

A rate is heartbeats for each second of processor time of all processes of either side; that of Kafka and
Cassandra is not counted, and a Ray call for each mebibyte of batches is not made.

Predicted: Flink 60 000, as 76 000/s by the clock were seen with a bit more than one core busy; a gatherer
300 000, of which aiokafka takes nearly a half; a consumer 1 500 000, half of what the fold alone does,
since everybody is new once and leaves rows. So 4 times with JSON, and 25 times with batches.
Seen, with 80 000 listeners on a machine on which others worked as well (its load stands below): a warm
and tuned Flink does 138 000 in memory and 75 000 on RocksDB, a gatherer 250 000, a consumer 940 000. So
both goals are missed: 1.4 and 6.8 times, 2.6 and 12 times on RocksDB. The peer was taken for half as
fast as it is without its start, its compiling and its defaults.

Of a gatherer's 4.0 µs aiokafka takes 1.2 for an object a record, reading and judging JSON 1.0, making
records of the log 0.9; the rest is the network. At first groups were a quarter as large, as a fetch holds
little of each partition, and Python looked for cycles among the records again and again (a third of its
time). Of a consumer's 1.1 µs most is Python for each row: subtotals of tracks, keys of
plays and hours; the fold itself is 0.3. What would come next: records as columns instead of objects, out
of Kafka and out of JSON (some 1.5 µs), and rows made column by column.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.report import Figure, Goal, report
from bench.rig.day import day, write_singles
from bench.rig.flink import VARIANTS, Flink
from bench.rig.kafka_work import WARM
from bench.rig.up import CLI, scratch
from domain.log_records import records_of
from heartline import wiring
from heartline.addresses import KafkaAddress
from heartline.gathering import topic_of
from heartline.settings import Settings
from stores.kafka_brokers import LATEST, Brokers
from stores.kafka_singles import TOPIC_SETTINGS
from tests.servers.cassandra import Cassandra
from tests.servers.fleet import PROGRAMS
from tests.servers.kafka import Kafka
from tests.servers.running import Running, Server, launch, stop, wait_until_ready

PARTITIONS = 8
FEWER = 20  # times listeners whose rows are stored: Cassandra takes a few thousand rows a second
LOAD_NAMES = ("load of the machine before", "load of the machine after")


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--listeners", type=int, default=200_000)
    parser.add_argument("--beats", type=int, default=30, help="heartbeats of each")
    parser.add_argument("--no-store", action="store_true", help="not into Cassandra")
    arguments = parser.parse_args()
    flink = Flink.install()
    with scratch() as home, running(Kafka(), home) as broker:
        run(flink, f"127.0.0.1:{broker.place.port}", arguments, home)


@contextmanager
def running(server: Server, home: Path) -> Iterator[Running]:
    """Have a server of our own for a while."""
    server.install(PROGRAMS)
    started = launch(server, home / server.name, PROGRAMS, usual_ports=False, with_us=True)
    try:
        wait_until_ready(started)
        yield started
    finally:
        stop(started)


def run(flink: Flink, servers: str, arguments: argparse.Namespace, home: Path) -> None:
    """Measure everything on one broker."""
    before = os.getloadavg()[0]
    url = f"kafka://{servers}/day"
    address = KafkaAddress.parse(url)
    assert address
    topic = topic_of(address)
    ends = asyncio.run(prepare(servers, topic, arguments.listeners, arguments.beats))
    count = sum(ends)
    warm = [end // WARM for end in ends]
    ours = {work: work_of(work, url, "", count) for work in ("gather", "fold")}
    theirs = {name: flink.run(servers, topic, warm, ends, name) for name in VARIANTS}
    if not arguments.no_store:
        with running(Cassandra(), home) as cluster:
            store = cluster.settings["HEARTLINE_STORE"]
            migrate = [sys.executable, "-c", CLI, "store", "migrate", "--replicas", "1"]
            subprocess.run(migrate, env={**os.environ, "HEARTLINE_STORE": store}, check=True)
            some = asyncio.run(append_some(f"{url}-of-few", arguments))
            ours["store"] = work_of("fold", f"{url}-of-few", store, some)
    tell(count, theirs, ours, (before, os.getloadavg()[0]))


async def prepare(servers: str, topic: str, listeners: int, beats: int) -> list[int]:
    """Write the day; tells how many heartbeats each partition has."""
    brokers = Brokers(servers, patience_s=30)
    await brokers.create_topic(topic, PARTITIONS, TOPIC_SETTINGS)
    await write_singles(servers, topic, day(listeners, beats, wiring.now_ms()))
    ends = await brokers.offsets(topic, dict.fromkeys(range(PARTITIONS), LATEST))
    await brokers.close()
    return [ends[number] for number in range(PARTITIONS)]


async def append_some(url: str, arguments: argparse.Namespace) -> int:
    """Append the day of one listener in FEWER as ingest does; tells how many heartbeats it has."""
    log = wiring.open_log(Settings(data=Path("nowhere"), log=url, partitions=PARTITIONS))
    appended = 0
    for batch in day(arguments.listeners // FEWER, arguments.beats, wiring.now_ms()):
        await log.append(records_of([batch], PARTITIONS))
        appended += batch.num_rows
    await log.close()
    return appended


def work_of(work: str, url: str, store: str, count: int) -> dict[str, float]:
    """Let a process of its own do a part of our work; tells what it took."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.rig.kafka_work", work, url, store, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    took: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return took


def tell(count: int, theirs: dict, ours: dict, loads: tuple[float, float]) -> None:
    """Report rates and their ratios."""
    rates = {name: took["heartbeats"] / took["cpu_s"] for name, took in (theirs | ours).items()}
    json_rate = 1 / (1 / rates["gather"] + 1 / rates["fold"])
    figures = [Figure(f"Flink SQL {name}", rates[name], "heartbeats/s/core") for name in VARIANTS]
    figures += [
        Figure("ours, the same JSON records", json_rate, "heartbeats/s/core"),
        Figure("of that, gather alone", rates["gather"], "heartbeats/s/core"),
        Figure("ours, batches", rates["fold"], "heartbeats/s/core"),
    ]
    if "store" in ours:
        figures.append(Figure("ours, batches into the store", rates["store"], "heartbeats/s/core"))
        per_s = ours["store"]["heartbeats"] / ours["store"]["wall_s"]
        figures.append(Figure("the same by the clock", per_s, "heartbeats/s"))
    figures += [Figure("heartbeats", count)]
    figures += [Figure(name, load) for name, load in zip(LOAD_NAMES, loads, strict=True)]
    report(
        "flink",
        [
            Goal("times Flink SQL in memory, JSON records", 4.0, json_rate / rates["in memory"]),
            Goal("times Flink SQL in memory, batches", 20.0, rates["fold"] / rates["in memory"]),
            Goal("times Flink SQL on RocksDB, JSON records", 4.0, json_rate / rates["on RocksDB"]),
            Goal("times Flink SQL on RocksDB, batches", 20.0, rates["fold"] / rates["on RocksDB"]),
        ],
        figures=figures,
    )


if __name__ == "__main__":
    main()
