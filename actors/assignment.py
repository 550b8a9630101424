"""Which shard owns which partition: a small document that is only ever a hint.

Nothing durable depends on it. Two who read different versions make two shards own a partition at
once, which does no harm (DESIGN section 3).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Move:
    """A partition that goes from one shard to another."""

    partition: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """The number of the shard that owns each partition; a larger *version* is newer."""

    version: int
    owners: tuple[int, ...]

    @classmethod
    def dealt(cls, partitions: int, shards: Sequence[int]) -> "Assignment":
        """Deal *partitions* out to *shards* in turn."""
        return cls(1, tuple(shards[number % len(shards)] for number in range(partitions)))

    @classmethod
    def decoded(cls, document: bytes) -> "Assignment":
        """Read what `encoded` wrote."""
        told = json.loads(document)
        return cls(int(told["version"]), tuple(int(owner) for owner in told["owners"]))

    def encoded(self) -> bytes:
        """Write as JSON."""
        return json.dumps({"version": self.version, "owners": self.owners}).encode()

    def after(self, move: Move) -> "Assignment":
        """Tell the next version, in which one partition has moved."""
        owners = list(self.owners)
        owners[move.partition] = move.after
        return replace(self, version=self.version + 1, owners=tuple(owners))

    def owned_by(self, shard: int) -> list[int]:
        """Tell the partitions of *shard*."""
        return [partition for partition, owner in enumerate(self.owners) if owner == shard]

    @property
    def shards(self) -> list[int]:
        """The shards that own something."""
        return sorted(set(self.owners))


def moves(assignment: Assignment, shards: Sequence[int]) -> Iterator[Move]:
    """Tell the fewest moves after which *shards*, and nobody else, own nearly equal numbers each."""
    owned = {shard: assignment.owned_by(shard) for shard in shards}
    room = _room({shard: len(owned[shard]) for shard in shards}, len(assignment.owners))
    leaving = [
        partition
        for partition, owner in enumerate(assignment.owners)
        if owner not in owned or owned[owner].index(partition) >= len(owned[owner]) + room[owner]
    ]
    wanting = [shard for shard in shards for _ in range(max(0, room[shard]))]
    for partition, shard in zip(leaving, wanting, strict=True):
        yield Move(partition, assignment.owners[partition], shard)


def _room(owned: dict[int, int], partitions: int) -> dict[int, int]:
    """Tell how many more each shard is to own; those that own most get what cannot be shared."""
    each, over = divmod(partitions, len(owned))
    most_first = sorted(owned, key=lambda shard: -owned[shard])
    return {shard: each + (place < over) - owned[shard] for place, shard in enumerate(most_first)}
