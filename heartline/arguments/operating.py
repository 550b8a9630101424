"""`status`, `store` and `cluster`."""

import argparse

from heartline.arguments.command import Commands, command


def declare_status(commands: Commands) -> None:
    """Declare `status`."""
    status = command(
        commands,
        "status",
        "heartline.commands.status",
        "show shards, lag, staleness, heartbeats, flushes, latencies and memory",
        "Asks the `heartline up` that runs on the data directory; without one, tells what the files\n"
        "say.",
    )
    status.add_argument(
        "--watch",
        metavar="SECONDS",
        type=_seconds,
        nargs="?",
        const=2.0,
        help="again and again, every so many seconds (2), with rates; with --json a document a line",
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 3_600:
        raise argparse.ArgumentTypeError("wants seconds from 0.1 to 3600")
    return seconds


def declare_store(commands: Commands) -> None:
    """Declare `store migrate`."""
    store = commands.add_parser("store", help="look after the store of rows")
    store_commands = store.add_subparsers(metavar="COMMAND", required=True)
    migrate = command(
        store_commands,
        "migrate",
        "heartline.commands.store",
        "make the tables of a cluster that speaks CQL, or bring them forward",
        "Run it once before the first `heartline up` with HEARTLINE_STORE=scylla://…, and after an\n"
        "upgrade, from one machine at a time. Doing it again changes nothing.",
    )
    migrate.add_argument(
        "--replicas",
        metavar="N",
        help="copies of each row, when the keyspace is made (3, or as many as there are nodes)",
    )


def declare_cluster(commands: Commands) -> None:
    """Declare `cluster` and its commands."""
    cluster = commands.add_parser("cluster", help="run Heartline on a Ray cluster of many nodes")
    cluster_commands = cluster.add_subparsers(metavar="COMMAND", required=True)
    from heartline.commands import cluster as described

    for name, (summary, more) in described.COMMANDS.items():
        one = command(
            cluster_commands, name, "heartline.commands.cluster", summary, more + described.WHERE
        )
        one.set_defaults(work=name)
        described.add_arguments(one, name)
