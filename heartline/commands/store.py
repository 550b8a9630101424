"""`heartline store migrate`."""

import argparse
from dataclasses import asdict

from heartline import wiring
from heartline.addresses import ScyllaAddress
from heartline.settings import variable
from heartline.terminal import fail, say, say_json
from stores.cql_schema import USUAL_REPLICAS, Migrated, migrate
from stores.tables import TABLES

MOST_REPLICAS = 15


def run(options: argparse.Namespace) -> int:
    """Make the schema, or bring it forward."""
    replicas = _replicas(options.replicas)
    address = ScyllaAddress.parse(wiring.settings(options.data).store)
    if address is None:
        fail(
            "the store is in the data directory, and makes its own tables;"
            f" {variable('store')}=scylla://… names a cluster"
        )
    done = migrate(address.hosts, address.port, address.keyspace, TABLES, replicas=replicas)
    if options.json:
        say_json(asdict(done))
    else:
        say(_told(done))
    return 0


def _replicas(given: str | None) -> int | None:
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or not 0 < int(given[:9]) <= MOST_REPLICAS:
        fail(f"--replicas wants a whole number from 1 to {MOST_REPLICAS}, not {given[:40]!r}", 2)
    return int(given)


def _told(done: Migrated) -> str:
    where = (
        f"the keyspace {done.keyspace}, {done.replicas} copies of each row on {done.nodes} nodes"
    )
    if done.before == done.after:
        return f"Nothing to do: {where}, has schema {done.after}."
    told = f"Made schema {done.after} of {where}."
    if done.replicas < USUAL_REPLICAS:
        told += f" With fewer than {USUAL_REPLICAS} copies, the loss of one node stops it."
    return told
