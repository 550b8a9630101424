"""What the layers above need of the outside, named by the need. Adapters are in `stores`."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from msgspec import Struct

from domain.heartbeats import MOST_AT
from domain.positions import Generation


class Column(Enum):
    """What a column of a table holds."""

    TEXT = "text"
    INT = "int"  # signed, 64 bits
    BLOB = "blob"


@dataclass(frozen=True, slots=True)
class Table:
    """A wide-column table: rows of one partition key lie together, ordered by the clustering key.

    A *stamped* table has exactly one value column, ``state`` (a blob): a write carries a stamp, the
    larger stamp wins, of equal ones either. A *versioned* one is written if its version is the one
    that was read. The two kinds of write never meet in one table. A partition key that is one text is
    not empty.
    """

    name: str
    partition: Mapping[str, Column]
    clustering: Mapping[str, Column] = field(default_factory=dict)
    values: Mapping[str, Column] = field(default_factory=dict)
    stamped: bool = False


Value = str | int | bytes | None
Key = tuple[Value, ...]  # the partition key's columns, then the clustering key's


class StampedRow(Struct, frozen=True, gc=False):
    """A row of a stamped table, as written. Shards make millions of them; a dataclass is slower.

    It holds no containers but its key, so the garbage collector need not look at it.
    """

    key: Key
    state: bytes
    stamp: int
    ttl_s: int | None = None  # from the moment of writing, by the store's clock


class Row(Struct, frozen=True):
    """A row of a versioned table, as read: its key, its values by name, its version (1, 2, ...)."""

    key: Key
    values: Mapping[str, Value]
    version: int


class Tables(Protocol):
    """The operations on any declared table. A write is durable (fsynced) when it returns.

    :raises Unavailable: from every method, when the store cannot answer now.
    """

    async def read_stamped(self, table: Table, keys: Sequence[Key]) -> list[StampedRow | None]:
        """Read rows by their whole keys, in the order of *keys*; None where there is no live row."""
        ...

    async def scan_stamped(
        self,
        table: Table,
        partition: Key,
        *,
        first: Value = None,
        last: Value = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[StampedRow]:
        """Read a partition's live rows with clustering key from *first* to *last*, both inclusive."""
        ...

    async def write_stamped(self, writes: Sequence[tuple[Table, Sequence[StampedRow]]]) -> None:
        """Write all rows; a row loses to what stands with a larger stamp.

        Rows of one table sorted by key are written fastest. Writing the same again changes nothing.
        No row is written if one cannot be stored (ValueError, OverflowError). After Unavailable any of
        them may be, and writing them again is right; but none of a table before all of the table that
        comes before it, if the two are partitioned differently.
        """
        ...

    async def erase_stamped(self, table: Table, partition: Key, *, stamp: int) -> None:
        """Delete a partition's rows that have a smaller stamp, those written later included."""
        ...

    async def read(self, table: Table, keys: Sequence[Key]) -> list[Row | None]:
        """Read rows of a versioned table by their whole keys, in the order of *keys*."""
        ...

    async def scan(
        self,
        table: Table,
        partition: Key,
        *,
        first: Value = None,
        last: Value = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> list[Row]:
        """As `scan_stamped`, of a versioned table."""
        ...

    async def write_if(
        self,
        table: Table,
        key: Key,
        values: Mapping[str, Value],
        *,
        version: int,
        ttl_s: int | None = None,
    ) -> bool:
        """Write a row if its version is *version* (0: if there is none); False if it is not.

        The new row has version ``version + 1``; an expired or deleted row counts as none.
        """
        ...

    async def delete_if(self, table: Table, key: Key, *, version: int) -> bool:
        """Delete a row if its version is *version*; False if it is not."""
        ...

    async def sweep(self) -> int:
        """Remove rows whose time has passed; readers do not see them before either. Tells how many."""
        ...

    async def close(self) -> None:
        """Finish what is being written and let go of the store."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a partition: its offset (0, 1, 2, ...), when it was appended, what it says."""

    offset: int
    appended_ms: int
    payload: bytes


class Log(Protocol):
    """The partitioned log of heartbeats. Offsets of a partition are dense and never used again.

    :raises Unavailable: from every method, when the log cannot answer now.
    """

    async def generation(self) -> Generation:
        """The newest generation: the one that `append` writes to."""
        ...

    async def generations(self) -> list[Generation]:
        """Every generation, oldest first; a recount reads them all."""
        ...

    async def begin_generation(self, partitions: int) -> Generation:
        """Begin the next generation; offsets start at 0 again."""
        ...

    async def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        """Append (partition, payload) pairs; durable on return (fsynced, or on several brokers).

        Returns the offsets, in the order given. Several processes may append at once. None is there
        after ValueError; after Unavailable any of them may be, and appending them again is right.
        """
        ...

    async def read(
        self, generation: Generation, partition: int, offset: int, *, most_bytes: int
    ) -> list[Record]:
        """Read records from *offset* on, at least one if there is one, then up to *most_bytes*."""
        ...

    async def ends(self, generation: Generation) -> list[int]:
        """The offset that each partition's next record will have."""
        ...

    async def now_ms(self) -> int:
        """The log's clock: no record that is not yet readable will get an earlier append time."""
        ...

    async def wait(self, timeout_s: float) -> None:
        """Return when something was appended since the last call, or after *timeout_s*."""
        ...

    async def commit(self, group: str, generation: Generation, offsets: Mapping[int, int]) -> None:
        """Note, durably, the next offset that *group* wants of each partition; never goes back.

        Of two calls at once the smaller offset may stay: records are then read again.
        """
        ...

    async def committed(self, group: str, generation: Generation) -> list[int]:
        """The committed offset of each partition; 0 where nothing was committed."""
        ...

    async def trim(self, *, before_ms: int, keep_bytes: int) -> int:
        """Delete the oldest records appended before *before_ms* or beyond *keep_bytes* in all.

        Records that a group has yet to read stay. Tells how many went.
        """
        ...

    async def trimmed_ms(self) -> int:
        """The append time of the newest record that `trim` deleted; 0 if it never did."""
        ...

    async def close(self) -> None:
        """Let go of the log."""
        ...


class DeadLetters(Protocol):
    """Where records of the log go that do not decode, to be looked at.

    :raises Unavailable: when they cannot be kept now.
    """

    async def put(
        self, generation: Generation, partition: int, records: Sequence[tuple[Record, str]]
    ) -> None:
        """Keep records, each with the reason; durable on return. Putting them again adds copies."""
        ...

    async def close(self) -> None:
        """Let go of where they go."""
        ...


class NowPlaying(Struct, frozen=True, gc=False):
    """What a listener's newest heartbeat said. Shards make many of them; see `StampedRow`."""

    track_id: str
    at: int  # of that heartbeat, ms since the epoch
    position_ms: int  # -1: not said
    is_playing: bool
    device_id: str
    context: str


class Announcement(Struct, frozen=True, gc=False):
    """What a shard knows of a listener's presence; of two, the one of the larger version holds."""

    listener_id: str
    at: int  # of the newest heartbeat; ERASED_AT: there will be no other
    position: int  # in the log, up to which everything was applied
    playing: NowPlaying | None

    @property
    def version(self) -> tuple[int, int]:
        """What orders announcements, whoever makes them and whenever they come in."""
        return self.at, self.position


ERASED_AT = MOST_AT


class PresenceBoard(Protocol):
    """Where shards announce who plays what; what is announced vanishes 60 s after its heartbeat."""

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        """Show what each announcement says; one that plays nothing clears what stands.

        An announcement that is not newer than what stands changes nothing, so that it may come
        again, late, or from a shard that does not know that another has taken its place. Those who
        watch are told if track, play state, device or context differ. None at all is a question
        whether it works.

        :raises Unavailable: when some may not be shown.
        """
        ...


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """Somebody who is watched plays something else now; nothing, if None."""

    listener_id: str
    playing: NowPlaying | None


class Presence(Protocol):
    """Who plays what now; a listener is gone 60 s after the newest heartbeat.

    Nobody plays anything while it cannot be told: it never raises `Unavailable`.
    """

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """Tell what each of *listener_ids* plays now, in their order."""
        ...

    def watch(self, listener_ids: Sequence[str]) -> AsyncGenerator[PresenceChange, None]:
        """Tell what those of *listener_ids* play who play anything, then each change, for ever.

        A change is another track, play state, device or context. Whoever is slow is told the newest
        of each listener, and nobody is told twice. The generator must be closed by who opened it.
        """
        ...
