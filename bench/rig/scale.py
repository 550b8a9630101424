"""Makes ``docs/scale.md``: what the goals of the design need, reckoned from what benchmarks saw."""

from dataclasses import dataclass

from bench.report import seen, spoken

BEATS_A_DAY = 12e9
PEAK = 2.5  # times the mean
LISTENERS = 10e6
READS_A_DAY = 1e9
DAY_S = 86_400
WINDOW_S = 30
ROWS_A_WINDOW = 3  # of a listener who listens: an hour, a week, a play
STORE_ROWS_PER_S = 430_000  # sorted upserts into SQLite on one core
LOG_DAYS = 90

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


@dataclass(frozen=True, slots=True)
class Need:
    """One line of the table."""

    what: str
    load: str
    each: str
    needs: str


def scale() -> str:
    """Write the page."""
    try:
        rows = _needs()
    except KeyError as error:
        return f"{HEAD.format(peak=PEAK)}\nNot reckoned yet: {error.args[0]}.\n"
    lines = [f"| {row.what} | {row.load} | {row.each} | {row.needs} |" for row in rows]
    table = "| what | load | measured | needs |\n| --- | --- | --- | --- |"
    return "\n".join([HEAD.format(peak=PEAK), table, *lines, TAIL])


def _needs() -> list[Need]:
    mean, reads = BEATS_A_DAY / DAY_S, READS_A_DAY / DAY_S
    beats, peak_reads = mean * PEAK, reads * PEAK
    fold = seen("fold", "million heartbeats a second on one core") * 1e6
    resident = seen("fold", "bytes in memory a listener")
    logged = seen("ingest", "bytes a heartbeat in the log")
    read_us = seen("read", "replica, CPU a request") + seen("read", "HAProxy, CPU a request")
    rows = LISTENERS / WINDOW_S * ROWS_A_WINDOW
    return [
        *(_ingest(kind, beats) for kind in ("JSON", "Arrow")),
        Need(
            "fold, on cores",
            f"{beats:,.0f} heartbeats/s",
            f"{fold / 1e6:.2f} million/s a core",
            f"{beats / fold:.2f} cores",
        ),
        Need(
            "fold, in memory",
            f"{LISTENERS / 1e6:g} million listeners",
            f"{resident:,.0f} bytes each",
            f"{LISTENERS * resident / 2**30:,.1f} GiB",
        ),
        Need(
            "log",
            f"{mean:,.0f} heartbeats/s in the mean, {beats:,.0f} at peak",
            f"{logged:.0f} bytes each",
            f"{beats * logged / 1e6:,.0f} MB/s at peak, {BEATS_A_DAY * logged / 1e12:.2f} TB a day, "
            f"{BEATS_A_DAY * logged * LOG_DAYS / 1e12:,.0f} TB for {LOG_DAYS} days",
        ),
        Need(
            "store, writes",
            f"{rows:,.0f} rows/s: {ROWS_A_WINDOW} rows a listener each {WINDOW_S} s",
            f"{STORE_ROWS_PER_S:,} rows/s a core, sorted, SQLite",
            f"{rows / STORE_ROWS_PER_S:.1f} cores; a window twice as long halves it",
        ),
        Need(
            "reads",
            f"{reads:,.0f}/s in the mean, {peak_reads:,.0f} at peak",
            f"{read_us:.0f} µs of CPU each",
            f"{peak_reads * read_us / 1e6:.1f} cores",
        ),
    ]


def _ingest(kind: str, beats: float) -> Need:
    each_us = seen("ingest", f"{kind} replica, CPU a heartbeat")
    return Need(
        f"ingest, {kind} from gateways",
        f"{beats:,.0f} heartbeats/s",
        f"{spoken(each_us)} µs of CPU each",
        f"{beats * each_us / 1e6:.1f} cores",
    )
