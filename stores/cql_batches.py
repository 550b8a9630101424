"""Stamped rows on their way to a cluster: which travel together.

A statement costs a node far more than a row in it: sixteen listeners with their rows in one batch take
a twentieth of what their rows take one by one. Only partitions whose first replica is the same node
travel together, so that no node forwards what is not its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cassandra.query import BatchStatement, BatchType, BoundStatement, Statement

from domain.ports import Key, StampedRow, Table

PARTITIONS_TOGETHER = 16
BYTES_TOGETHER = 32_000  # Cassandra refuses batches over several partitions beyond 50 kB
ROW_BYTES = 100  # what a row counts there beside its texts and its state: some 60, for timestamps and the like
LEAST_INT, MOST_INT = -(1 << 63), (1 << 63) - 1

Write = tuple[Table, Sequence[StampedRow]]
Owner = Callable[[bytes], object]


Bound = TypeVar("Bound", bound=BoundStatement)


@dataclass(slots=True)
class Load(Generic[Bound]):
    """What goes to one node with the next statement."""

    statements: list[Bound] = field(default_factory=list)
    partitions: int = 0
    bytes: int = 0


def together(load: Sequence[BoundStatement]) -> Statement:
    """Make one statement of several."""
    if len(load) == 1:
        return load[0]
    batch = BatchStatement(BatchType.UNLOGGED)
    for statement in load:
        batch.add(statement)
    return batch


def check(writes: Iterable[Write]) -> None:
    """See that every row can be stored, before any is.

    :raises OverflowError: an integer has more than 64 bits; `UnicodeEncodeError` for lone surrogates.
    :raises ValueError: a partition's text is empty.
    """
    for table, rows in writes:
        for row in rows:
            check_key(table, row.key)


def check_key(table: Table, key: Key) -> None:
    """See that a row may have that key; raises as `check` does."""
    if key[0] == "" and len(table.partition) == 1:
        raise ValueError(f"{table.name}: a partition's text is not empty")
    for value in key:
        if isinstance(value, int) and not LEAST_INT <= value <= MOST_INT:
            raise OverflowError(f"{table.name}: {value} has more than 64 bits")
        if isinstance(value, str) and not value.isascii():
            value.encode()


def stages(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Put tables together that are partitioned alike; one stage is written before the next begins."""
    stage: list[Write] = []
    for write in writes:
        if stage and stage[-1][0].partition != write[0].partition:
            yield stage
            stage = []
        stage.append(write)
    if stage:
        yield stage


def loads(
    stage: Sequence[Write], bind: Callable[[Table, StampedRow], Bound], owner: Owner
) -> Iterator[list[Bound]]:
    """Tell what travels together, each load when it is asked for."""
    by_node: dict[object, Load[Bound]] = {}
    for rows in _by_partition(stage).values():
        bound = [bind(table, row) for table, row in rows]
        node = owner(bound[0].routing_key)
        load = by_node.setdefault(node, Load())
        load.partitions += 1
        for statement, (_, row) in zip(bound, rows, strict=True):
            size = size_of(row)
            if load.statements and load.bytes + size > BYTES_TOGETHER:
                yield load.statements
                load = by_node[node] = Load(partitions=1)
            load.statements.append(statement)
            load.bytes += size
        if load.partitions >= PARTITIONS_TOGETHER:
            yield by_node.pop(node).statements
    yield from (load.statements for load in by_node.values())


def size_of(row: StampedRow) -> int:
    """Tell how many bytes a row counts in a batch, at most."""
    texts = sum(len(value.encode()) for value in row.key if isinstance(value, str))
    return ROW_BYTES + texts + len(row.state)


def _by_partition(stage: Sequence[Write]) -> Mapping[Key, list[tuple[Table, StampedRow]]]:
    columns = len(stage[0][0].partition)
    found: dict[Key, list[tuple[Table, StampedRow]]] = {}
    for table, rows in stage:
        for row in rows:
            found.setdefault(row.key[:columns], []).append((table, row))
    return found
