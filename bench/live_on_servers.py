"""How many concurrent listeners one machine holds with Kafka, Cassandra and Redis on it as well.

As `bench.live`, but that log, rows and presence are on servers, which share the two cores with Heartline
and with the load generator.

Predicted: Cassandra bounds it. A listener costs three rows in a window of 30 s; with sixteen listeners in
a statement 55 000 rows/s were seen on an otherwise idle machine, half of a core's work of which is the
driver's, so some 100 000 listeners leave room for the rest.
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
