"""What the SQLite log does inside its write transactions, and the tables that it does it to.

A record's rowid says where it stands: ``(generation * 1024 + partition) << 40 | offset``.
"""

import heapq
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from domain.errors import Unavailable
from domain.positions import (
    GENERATION_SHIFT,
    MOST_GENERATIONS,
    MOST_PARTITIONS,
    Generation,
    part_key,
)

ROWS_TOGETHER = 250
TRIMMED_TOGETHER = 256
MOST_PAYLOAD_BYTES = 64 << 20

TABLES = (
    # one row: the log's clock, how often it was appended to, and its newest generation
    "CREATE TABLE IF NOT EXISTS marks (id INTEGER PRIMARY KEY CHECK (id = 0), clock_ms INTEGER NOT NULL,"
    " appends INTEGER NOT NULL, trimmed_ms INTEGER NOT NULL, generation INTEGER NOT NULL,"
    " partitions INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS generations (number INTEGER PRIMARY KEY, partitions INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS partitions (generation INTEGER NOT NULL, part INTEGER NOT NULL,"
    " next_offset INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (generation, part))"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS records (id INTEGER PRIMARY KEY, appended_ms INTEGER NOT NULL,"
    " payload BLOB NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS commits (name TEXT NOT NULL, generation INTEGER NOT NULL,"
    " part INTEGER NOT NULL, next_offset INTEGER NOT NULL, PRIMARY KEY (name, generation, part))"
    " STRICT, WITHOUT ROWID",
)
FIRST_MARKS = (
    "INSERT OR IGNORE INTO marks (id, clock_ms, appends, trimmed_ms, generation, partitions)"
    " VALUES (0, 0, 0, 0, 0, ?)"
)
ADVANCE = "UPDATE marks SET clock_ms = max(clock_ms, ?) RETURNING clock_ms"
AHEAD_MS = 1_000
# Where the machine's clock was set back, ours waits for it, but not quite still: how far a partition
# is complete is stamped with these times, and the same time twice would be the same row.
APPEND = (
    f"UPDATE marks SET clock_ms = max(?1, clock_ms + (clock_ms > ?1 + {AHEAD_MS})),"  # noqa: S608
    " appends = appends + 1"
    " RETURNING clock_ms, generation, partitions"
)
RESERVE = (
    " ON CONFLICT (generation, part) DO UPDATE SET next_offset = next_offset + excluded.next_offset,"
    " bytes = bytes + excluded.bytes RETURNING part, next_offset"
)
COMMIT = (
    "INSERT INTO commits VALUES (?, ?, ?, ?) ON CONFLICT (name, generation, part)"
    " DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)"
)
HEADS = "SELECT appended_ms, id, length(payload) FROM records WHERE id >= ? AND id < ? ORDER BY id"

Batch = Sequence[tuple[int, bytes]]


def first_id(generation: int, partition: int) -> int:
    """Tell the rowid of a partition's record 0; the others follow by their offsets."""
    return part_key(generation, partition) << GENERATION_SHIFT


def build(connection: sqlite3.Connection, partitions: int) -> None:
    """Make the tables and the first generation, unless they are there."""
    for table in TABLES:
        connection.execute(table)
    connection.execute(FIRST_MARKS, (partitions,))
    connection.execute("INSERT OR IGNORE INTO generations VALUES (0, ?)", (partitions,))


def append(
    connection: sqlite3.Connection, batches: list[Batch], now_ms: int
) -> list[list[int] | Exception]:
    """Append the records of all *batches*; tells the offsets of each, or why it was not appended."""
    at_ms, generation, partitions = connection.execute(APPEND, (now_ms,)).fetchall()[0]
    wrong = [misfit(batch, partitions) for batch in batches]
    records = [
        record for batch, error in zip(batches, wrong, strict=True) if not error for record in batch
    ]
    offsets = iter(reserve(connection, generation, records))
    placed = [(part, next(offsets), payload) for part, payload in records]
    rows = [(first_id(generation, part) + at, at_ms, payload) for part, at, payload in placed]
    for start in range(0, len(rows), ROWS_TOGETHER):
        chunk = rows[start : start + ROWS_TOGETHER]
        insert_all(connection, "INSERT INTO records VALUES", chunk)
    given = iter(placed)
    return [
        error or [offset for _, offset, _ in islice(given, len(batch))]
        for batch, error in zip(batches, wrong, strict=True)
    ]


def misfit(batch: Batch, partitions: int) -> ValueError | None:
    """Say what is wrong with a batch, if something is."""
    for partition, payload in batch:
        if not 0 <= partition < partitions:
            return ValueError(f"the log has no partition {partition}, it has {partitions}")
        if len(payload) > MOST_PAYLOAD_BYTES:
            return ValueError(f"a record of {len(payload)} bytes is too large")
    return None


def reserve(connection: sqlite3.Connection, generation: int, records: Batch) -> list[int]:
    """Take the next offsets of the partitions for *records*, in their order."""
    sizes: dict[int, list[int]] = {}
    for partition, payload in records:
        sizes.setdefault(partition, []).append(len(payload))
    if not sizes:
        return []
    rows = [(generation, part, len(taken), sum(taken)) for part, taken in sizes.items()]
    ends = dict(insert_all(connection, "INSERT INTO partitions VALUES", rows, RESERVE))
    following = {part: ends[part] - len(taken) for part, taken in sizes.items()}
    offsets = []
    for partition, _ in records:
        offsets.append(following[partition])
        following[partition] += 1
    return offsets


def insert_all(
    connection: sqlite3.Connection, insert: str, rows: Sequence[tuple[object, ...]], rest: str = ""
) -> list[tuple[int, int]]:
    """Insert *rows* by one statement, which gives the interpreter lock away once instead of at each."""
    one = f"({', '.join('?' * len(rows[0]))})"
    statement = f"{insert} {', '.join([one] * len(rows))}{rest}"
    return connection.execute(statement, [value for row in rows for value in row]).fetchall()


def advance(connection: sqlite3.Connection, now_ms: int) -> int:
    """Let the log's clock be *now_ms* at least, and tell it."""
    clock_ms: int = connection.execute(ADVANCE, (now_ms,)).fetchall()[0][0]
    return clock_ms


def begin_generation(connection: sqlite3.Connection, partitions: int) -> Generation:
    """Begin the next generation."""
    (newest,) = connection.execute("SELECT generation FROM marks").fetchone()
    number = newest + 1
    if number == MOST_GENERATIONS:
        raise Unavailable(
            f"the log has had all its {MOST_GENERATIONS} generations: begin a new data directory"
        )
    connection.execute("INSERT INTO generations VALUES (?, ?)", (number, partitions))
    connection.execute("UPDATE marks SET generation = ?, partitions = ?", (number, partitions))
    return Generation(number, partitions)


def commit(
    connection: sqlite3.Connection, group: str, generation: int, offsets: Mapping[int, int]
) -> None:
    """Note the next offsets that *group* wants."""
    rows = [(group, generation, part, offset) for part, offset in offsets.items()]
    connection.executemany(COMMIT, rows)


def trim(connection: sqlite3.Connection, before_ms: int, keep_bytes: int) -> int:
    """Delete a slice of the oldest records that may go, and tell how many those were."""
    (stored,) = connection.execute("SELECT coalesce(sum(bytes), 0) FROM partitions").fetchone()
    going: dict[int, tuple[int, int, int]] = {}
    heads = heapq.merge(*[heads_of(connection, *limits) for limits in trimmable(connection)])
    removed = newest_ms = 0
    for appended_ms, number, size in islice(heads, TRIMMED_TOGETHER):
        if appended_ms >= before_ms and stored <= keep_bytes:
            break
        place = number >> GENERATION_SHIFT
        first, _, taken = going.get(place, (number, number, 0))
        going[place] = (first, number, taken + size)
        stored, removed, newest_ms = stored - size, removed + 1, appended_ms
    for place, (first, last, taken) in going.items():
        connection.execute("DELETE FROM records WHERE id BETWEEN ? AND ?", (first, last))
        connection.execute(
            "UPDATE partitions SET bytes = bytes - ? WHERE generation = ? AND part = ?",
            (taken, *divmod(place, MOST_PARTITIONS)),
        )
    connection.execute("UPDATE marks SET trimmed_ms = max(trimmed_ms, ?)", (newest_ms,))
    return removed


def trimmable(connection: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    """Tell the rowids, from and before, of what every group has read; without a group nothing was."""
    commits = connection.execute(
        "SELECT name, generation, part, next_offset FROM commits"
    ).fetchall()
    groups = {name for name, *_ in commits}
    read = {tuple(key): offset for *key, offset in commits}
    stored = "SELECT generation, part FROM partitions WHERE bytes > 0"
    for generation, part in connection.execute(stored).fetchall():
        done = min((read.get((name, generation, part), 0) for name in groups), default=0)
        first = first_id(generation, part)
        yield first, first + done


def heads_of(
    connection: sqlite3.Connection, first: int, end: int
) -> Iterator[tuple[int, int, int]]:
    """Read the records of a partition from the oldest on: append time, rowid, size."""
    yield from connection.execute(HEADS, (first, end))
