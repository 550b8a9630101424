"""Where a record stands in the log, and the stamp that a row written after it carries.

A *generation* is a topic with its fixed number of partitions. A *position* orders the records of one
partition through all generations; a *stamp* is four times that, the two low bits being left for
corrections. Both are functions of the log alone: no clock, no counter in the store.
"""

from dataclasses import dataclass

GENERATION_SHIFT = 40
STAMP_STEP = 4
NEVER = 0  # the position before every record
ERASED_STAMP = (1 << 50) - 1  # larger than any record's: nothing late brings back what it deletes
MOST_GENERATIONS = 1 << 8  # keeps every stamp below ERASED_STAMP
MOST_PARTITIONS = 1 << 10
SHARDS = "shards"  # the consumer group that has committed what is durable in rows
ARCHIVE = "archive"  # the one that has committed what is in the warehouse


@dataclass(frozen=True, slots=True)
class Generation:
    """A topic with its number of partitions; changing that number begins the next one."""

    number: int
    partitions: int


def position(generation: int, offset: int) -> int:
    """Order the record at *offset* of *generation* among all records of its listeners."""
    return (generation << GENERATION_SHIFT) + offset + 1


def records_between(place: int, until: int) -> int:
    """Count the records behind the position *place*, up to *until* and in its generation."""
    begin = until >> GENERATION_SHIFT << GENERATION_SHIFT
    return max(until - max(place, begin), 0)


def stamp(at_position: int) -> int:
    """The stamp of a row that holds every record up to *at_position*."""
    return STAMP_STEP * at_position


def part_key(generation: int, partition: int) -> int:
    """Name a partition of a generation in one integer, for rows that are kept per partition."""
    return generation * MOST_PARTITIONS + partition


def check_partitions(partitions: int) -> None:
    """Refuse a number of partitions that positions have no room for.

    :raises ValueError: if there are none, or too many.
    """
    if not 1 <= partitions <= MOST_PARTITIONS:
        raise ValueError(f"a log has 1 to {MOST_PARTITIONS} partitions, not {partitions}")
