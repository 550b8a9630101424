"""What a cluster wants of its settings: nodes share no files, so servers and a shared secret."""

from collections.abc import Iterable, Sequence

from heartline.addresses import KAFKA_WANTS, REDIS_WANTS, S3_WANTS
from heartline.nodes.ray_cluster import Node
from heartline.settings import BadSettings, Settings, variable

SHARED = {
    "log": KAFKA_WANTS,
    "store": "scylla://host[:port][,host[:port] ...][/keyspace]",
    "presence": REDIS_WANTS,
}


def check(settings: Settings, nodes: Sequence[Node], *, one_machine: bool) -> None:
    """See that every node finds the same log, rows, presence and keys.

    Raises
    ------
    BadSettings
        With every problem, not only the first.
    """
    problems = tuple(_of_one_machine(nodes) if one_machine else _of_many(settings))
    if problems:
        raise BadSettings(problems)


def _of_one_machine(nodes: Sequence[Node]) -> Iterable[str]:
    hosts = sorted({node.host for node in nodes})
    if len(hosts) > 1:
        yield f"--one-machine: the nodes are on {', '.join(hosts)}, which share no files"


def _of_many(settings: Settings) -> Iterable[str]:
    given = settings.plain()
    for name, shape in SHARED.items():
        if not given.get(name):
            yield f"{variable(name)}: a cluster wants {shape}, since its nodes share no files"
    if settings.archive and not settings.objects:
        yield (
            f"{variable('objects')}: a cluster wants {S3_WANTS} for its warehouse,"
            f" or {variable('archive')}=no"
        )
    if not given.get("secrets"):
        yield (
            f"{variable('secrets')}: a cluster refuses to start without: it wants a directory that"
            " every node has, with the signing key in it"
        )
