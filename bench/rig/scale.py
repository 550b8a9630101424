"""Makes ``docs/scale.md``: what the goals of the design need, reckoned from what benchmarks saw."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log

from bench.report import seen, spoken

BEATS_A_DAY = 12e9
PEAK = 2.5  # times the mean
LISTENERS = 10e6
READS_A_DAY = 1e9
DAY_S = 86_400
WINDOW_S = 30
ROWS_A_WINDOW = 3  # of a listener who listens: an hour, a week, a play
LOG_DAYS = 90
COPIES = 3
KAFKA_DAYS = 7
PARTITIONS = 256
NODE_CORES = 16
PLANNED = 0.6  # of a node's cores: the rest is for the loss of another
TRACKS = 100e6
ENTRIES_A_TRACK = 1.17  # with albums and artists, as in the synthetic catalogue
SEARCHES = 300_000  # a second
SHARD_ENTRIES = 30e6

HEAD = """# Scale

What 12 billion heartbeats a day, 10 million concurrent listeners and a billion reads a day need,
reckoned from the measured figures by `make docs-performance` (`bench/rig/scale.py`); edit it there.
The peak is taken as {peak:g} times the mean.
"""
TAIL = """
Not in it: copies (a log and a store with three copies write and keep three times as much), room to
spare (a core that is planned full has no room for a failure; plan for 60 %), and what the servers
themselves need, Kafka and ScyllaDB, whose own figures apply. Every part is spread by the listener:
partitions share nothing, and shards, ingest and read replicas are added without moving anything that
is durable. One machine holds what `docs/performance.md` shows under live.
"""
CLUSTER = f"""## On servers, with {COPIES} copies

Reckoned from `bench.live_on_servers`: Kafka, Cassandra, Redis and Heartline on one machine of two cores,
each with one copy. Nodes are planned at {PLANNED:.0%} of their cores.
"""
CLUSTER_TAIL = f"""
{PARTITIONS} partitions leave each shard and consumer several, so that work can be moved in small pieces.
ScyllaDB in the place of Cassandra serves several times as many rows a core by its makers' figures; it was
not measured here. A listener's partition in the store grows by an hour row for each hour of listening and
a play row for each play: at 20 hours a week and 3 minutes a play about 22,000 rows and 4 MB a year.
"""
SEARCH = f"""
## Search on OpenSearch: {TRACKS / 1e6:g} million tracks, {SEARCHES:,} searches a second

Reckoned from `bench.search_relevance`: one node on two cores, one shard, asked one search at a time.
"""
SEARCH_TAIL = f"""
Every search visits every shard once. What it costs there grows by the power of the entries that fits the
two sizes that were measured, carried on to {SHARD_ENTRIES / 1e6:g} million entries, fifty times as many as were
measured: take it for the order of magnitude. So few and large shards cost least; their number bounds how
long one search takes, not how many there are. A third of the questions were misspelt, which costs most.
Answers that many ask for can be kept by a cache before the nodes: with half of the searches answered
there, half of the nodes are left.
"""


@dataclass(frozen=True, slots=True)
class Need:
    """One line of the table."""

    what: str
    load: str
    each: str
    needs: str


def scale() -> str:
    """Write the page."""
    return "\n".join(
        [
            *(HEAD.format(peak=PEAK), _table(_needs), TAIL),
            *(CLUSTER, _table(_servers), CLUSTER_TAIL),
            *(SEARCH, _table(_search), SEARCH_TAIL),
        ]
    )


def _table(needs: Callable[[], list[Need]]) -> str:
    try:
        rows = needs()
    except KeyError as error:
        return f"Not reckoned yet: {error.args[0]}."
    lines = [f"| {row.what} | {row.load} | {row.each} | {row.needs} |" for row in rows]
    return "\n".join(["| what | load | measured | needs |\n| --- | --- | --- | --- |", *lines])


def _servers() -> list[Need]:
    """What a cluster of real servers needs, with three copies of everything."""
    rows = LISTENERS / WINDOW_S * ROWS_A_WINDOW
    return [
        _nodes("Kafka", "kafka", COPIES, f"{BEATS_A_DAY / DAY_S:,.0f} heartbeats/s"),
        _nodes("store that speaks CQL", "cassandra", COPIES, f"{rows:,.0f} rows/s"),
        _nodes("Redis", "redis", 2, f"{LISTENERS / 1e6:g} million listeners who play"),
        _nodes("consumers", "consumer", 1, f"{PARTITIONS} partitions"),
        _nodes("shards", "shards", 1, f"{PARTITIONS} partitions"),
        Need(
            "Kafka, disks",
            f"{BEATS_A_DAY / 1e9:g} billion heartbeats a day",
            f"{seen('ingest', 'bytes a heartbeat in the log'):.0f} bytes each",
            f"{_log_tb():,.0f} TB: {COPIES} copies of {KAFKA_DAYS} days; the warehouse has the rest",
        ),
    ]


def _nodes(what: str, part: str, copies: int, load: str) -> Need:
    million = seen("live_on_servers", f"cores a million listeners, {part}")
    cores = million * LISTENERS / 1e6 * copies
    nodes = max(copies, ceil(cores / PLANNED / NODE_CORES))
    times = f", {copies} copies" if copies > 1 else ""
    return Need(
        what,
        load,
        f"{million:.2f} cores a million listeners",
        f"{cores:,.0f} cores{times}: {nodes} nodes of {NODE_CORES} cores",
    )


def _search() -> list[Need]:
    """What nodes of OpenSearch need that hold everything, and answer everybody."""
    entries = TRACKS * ENTRIES_A_TRACK
    shards = ceil(entries / SHARD_ENTRIES)
    each_ms = _search_ms(SHARD_ENTRIES)
    cores = SEARCHES * shards * each_ms / 1e3
    stored = seen("search_relevance", "OpenSearch, index")
    copies = max(2, ceil(cores / PLANNED / NODE_CORES / shards))
    nodes = ceil(cores / PLANNED / NODE_CORES)
    few, all_ = (seen("search_relevance", f"OpenSearch, entries, {which}") for which in GROWTH)
    return [
        Need(
            "searches",
            f"{SEARCHES:,}/s in {shards} shards of {SHARD_ENTRIES / 1e6:g} million entries",
            f"{_measured_ms('few'):.2f} ms of CPU with {few / 1e3:,.0f} thousand entries, "
            f"{_measured_ms('all'):.2f} with {all_ / 1e3:,.0f} thousand; "
            f"{each_ms:.0f} ms a shard of that size",
            f"{cores:,.0f} cores: {nodes:,} nodes of {NODE_CORES} cores, {copies} copies of each shard",
        ),
        Need(
            "index",
            f"{entries / 1e6:,.0f} million entries",
            f"{stored:.0f} bytes each",
            f"{entries * stored / 1e9:,.0f} GB a copy, {entries * stored * copies / nodes / 1e9:.1f} GB "
            "a node, which its page cache holds",
        ),
    ]


GROWTH = ("few", "all")


def _search_ms(entries: float) -> float:
    """Tell what a search of a shard takes of a core: a power of its entries, through what was measured."""
    (few, few_ms), (many, many_ms) = (
        (seen("search_relevance", f"OpenSearch, entries, {which}"), _measured_ms(which))
        for which in GROWTH
    )
    power = max(0.0, log(many_ms / few_ms) / log(many / few))
    return float(many_ms * (entries / many) ** power)


def _measured_ms(which: str) -> float:
    return seen("search_relevance", f"OpenSearch, CPU a search, {which}")


def _log_tb() -> float:
    logged = seen("ingest", "bytes a heartbeat in the log")
    return BEATS_A_DAY * logged * KAFKA_DAYS * COPIES / 1e12


def _needs() -> list[Need]:
    beats = BEATS_A_DAY / DAY_S * PEAK
    return [
        *(_ingest(kind, beats) for kind in ("JSON", "Arrow")),
        *_fold(beats),
        _log(beats),
        _store(),
        _reads(),
    ]


def _fold(beats: float) -> list[Need]:
    rate = seen("fold", "million heartbeats a second on one core") * 1e6
    resident = seen("fold", "bytes in memory a listener")
    return [
        Need(
            "fold, on cores",
            f"{beats:,.0f} heartbeats/s",
            f"{rate / 1e6:.2f} million/s a core",
            f"{beats / rate:.2f} cores",
        ),
        Need(
            "fold, in memory",
            f"{LISTENERS / 1e6:g} million listeners",
            f"{resident:,.0f} bytes each",
            f"{LISTENERS * resident / 2**30:,.1f} GiB",
        ),
    ]


def _log(beats: float) -> Need:
    logged = seen("ingest", "bytes a heartbeat in the log")
    return Need(
        "log",
        f"{BEATS_A_DAY / DAY_S:,.0f} heartbeats/s in the mean, {beats:,.0f} at peak",
        f"{logged:.0f} bytes each",
        f"{beats * logged / 1e6:,.0f} MB/s at peak, {BEATS_A_DAY * logged / 1e12:.2f} TB a day, "
        f"{BEATS_A_DAY * logged * LOG_DAYS / 1e12:,.0f} TB for {LOG_DAYS} days",
    )


def _store() -> Need:
    rows = seen("live", "rows/s a million listeners") * LISTENERS / 1e6
    cores = seen("live", "cores a million listeners, shards") * LISTENERS / 1e6
    return Need(
        "shards, with their rows in SQLite",
        f"{LISTENERS / 1e6:g} million listeners: {rows:,.0f} rows/s",
        f"{rows / cores:,.0f} rows/s a core, the fold in it",
        f"{cores:.1f} cores; a window twice as long writes half the rows",
    )


def _reads() -> Need:
    mean = READS_A_DAY / DAY_S
    each_us = seen("read", "replica, CPU a request") + seen("read", "HAProxy, CPU a request")
    return Need(
        "reads",
        f"{mean:,.0f}/s in the mean, {mean * PEAK:,.0f} at peak",
        f"{each_us:.0f} µs of CPU each",
        f"{mean * PEAK * each_us / 1e6:.1f} cores",
    )


def _ingest(kind: str, beats: float) -> Need:
    each_us = seen("ingest", f"{kind} replica, CPU a heartbeat")
    return Need(
        f"ingest, {kind} from gateways",
        f"{beats:,.0f} heartbeats/s",
        f"{spoken(each_us)} µs of CPU each",
        f"{beats * each_us / 1e6:.1f} cores",
    )
