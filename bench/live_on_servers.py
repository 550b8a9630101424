"""How many concurrent listeners one machine holds with Kafka, Cassandra and Redis on it as well.

As `bench.live`, but that log, rows and presence are on servers, which share the two cores with Heartline
and with the load generator.

Predicted: Cassandra bounds it. A listener costs three rows in a window of 30 s; with sixteen listeners in
a statement 55 000 rows/s were seen on an otherwise idle machine, half of a core's work of which is the
driver's, so some 100 000 listeners leave room for the rest.
Seen: 150 000, stale for 45 s at p99, and both cores are full; on another day, with a machine a third
slower, 100 000 for 42 s and 150 000 for 75. Cassandra takes 0.7 cores and the shards 0.6, of which the
driver has most; two to three rows are written for a listener in a window. Even 25 000 take 1.5 cores: 64
partitions are flushed each by itself, so that a statement carries few listeners. What would come next:
fewer partitions on one machine, one flush for all partitions of a shard, and the loop of the consumer,
which costs 0.2 cores with next to nothing to do.
"""

from bench.live import measure


def main() -> None:
    """Run and report."""
    measure(
        "live_on_servers",
        __doc__ or "",
        listeners=(25_000, 50_000, 100_000, 150_000),
        quick=20_000,
        goal=100_000,
        servers=True,
    )


if __name__ == "__main__":
    main()
