"""The warehouse: every heartbeat of the log in one Delta table, in files or on S3.

    heartbeats/day=2026-11-16/bucket=3/part-….parquet

A heartbeat lies in the UTC day of its instant, so that a week is read from the days that it is made
of, however late it came; and in the bucket of its listener, so that a week is counted, and a
listener erased, without reading everybody. A commit of the table carries the offsets up to which
partitions of the log are in it, as application transactions: either both are there, or neither.

Everything here blocks: it is called in a thread.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError

from domain.batches import SCHEMA
from domain.errors import Unavailable
from domain.heartbeats import Kind
from domain.log_records import partitions_of
from domain.positions import Generation
from domain.units import DAY_MS

BUCKETS = 16  # of listeners; stands in the paths of every table: it never changes
SMALL_FILES = 16  # of one bucket of a day, before they are made one
SMALL_BYTES = 32 << 20
FILE_BYTES = 128 << 20
KEPT_HOURS = 24  # what a table no longer holds stays that long, for those who read it
ERASED_DAY = 0  # an erasure has the instant 0: all of them lie in the first day there is
LACKING = "lacking"
MOST_TOLD = 300  # letters of an error of the library's

_DRAWN = re.compile(r"\x1b\[[0-9;]*m|\u21b3")

WHERE = (  # each stood in the log; null for what was put here by other means
    pa.field("generation", pa.int32()),
    pa.field("partition", pa.int32()),
    pa.field("offset", pa.int64()),
    pa.field("appended_ms", pa.int64()),
)
ARCHIVED = pa.schema([*SCHEMA, *WHERE])
PLACES = (
    pa.field("day", pa.date32(), nullable=False),
    pa.field("bucket", pa.int32(), nullable=False),
)
CONFIGURATION = {
    "delta.dataSkippingStatsColumns": "at,offset",  # no ids of listeners in the table's own log
    "delta.logRetentionDuration": "interval 2 days",
}

WRITTEN = WriterProperties(
    compression="ZSTD",  # an id of a heartbeat hardly ever comes twice: a dictionary only costs
    column_properties={"id": ColumnProperties(dictionary_enabled=False)},
)

Offsets = Mapping[tuple[int, int], int]  # by generation and partition: the next one wanted


class Warehouse:
    """One Delta table as it was at the last `refresh` or write of this process."""

    def __init__(self, table: DeltaTable) -> None:
        self._table = table

    @classmethod
    def open(
        cls, place: str, options: Mapping[str, str] | None = None, *, make: bool = False
    ) -> "Warehouse":
        """Open the table at *place*, a folder or an s3:// URL with the *options* of its store.

        Raises
        ------
        Unavailable
            It is not there (and not to be made), or its store is away.
        """
        with _told():
            given = dict(options or {})
            if not make and not DeltaTable.is_deltatable(place, given):
                raise Unavailable(
                    "there is no warehouse yet: `heartline up` and `archive` make one"
                )
            if make:
                _make(place, given)
            return cls(DeltaTable(place, storage_options=given))

    @property
    def version(self) -> int:
        """Which state of the table this is."""
        return self._table.version()

    def refresh(self) -> None:
        """See what others have written."""
        with _told():
            self._table.update_incremental()

    def archived(self, generation: Generation) -> list[int]:
        """Tell the next offset that the table wants of each partition."""
        return [
            self._table.transaction_version(_part(generation.number, partition)) or 0
            for partition in range(generation.partitions)
        ]

    @property
    def lacking_ms(self) -> int:
        """Up to which append time records are missing that the log no longer had; 0: none are."""
        return self._table.transaction_version(LACKING) or 0

    def append(
        self,
        beats: pa.Table,
        offsets: Offsets,
        *,
        erased: Collection[str] = (),
        lacking_ms: int = 0,
    ) -> bool:
        """Add *beats* (ARCHIVED), which bring the table up to *offsets*; first delete the *erased*.

        False if another process has written meanwhile: nothing was added, and `refresh` shows what
        stands. The rows of those erased may be gone all the same.
        """
        try:
            with _told():
                if erased:
                    self._erase(erased)
                write_deltalake(
                    self._table,
                    _placed(beats),
                    mode="append",
                    commit_properties=_commit(offsets, lacking_ms),
                    writer_properties=WRITTEN,
                )
        except CommitFailedError:
            return False
        return True

    def erased(self) -> set[str]:
        """Tell which listeners were erased."""
        found = self._read(
            ["listener_id"],
            ds.field("kind") == int(Kind.ERASE),
            [("day", "=", _day(ERASED_DAY))],
        )
        return set(found.column("listener_id").to_pylist())

    def read(
        self, columns: Collection[str], *, bucket: int, first_ms: int, last_ms: int
    ) -> pa.Table:
        """Read the heartbeats of a bucket of listeners with an instant from *first_ms* to *last_ms*."""
        at = ds.field("at")
        return self._read(
            list(columns),
            (at >= first_ms) & (at <= last_ms) & (ds.field("bucket") == bucket),
            [
                ("day", ">=", _day(first_ms)),
                ("day", "<=", _day(last_ms)),
                ("bucket", "=", str(bucket)),
            ],
        )

    def tidy(self, *, thoroughly: bool = False) -> int:
        """Make one file of many small ones, and remove what nobody reads; tells how many files went.

        *thoroughly*: also what a process left that died while it wrote, which lists every file.
        """
        with _told():
            removed = sum(map(self._compact, self._cluttered()))
            self._table.vacuum(
                KEPT_HOURS, dry_run=False, enforce_retention_duration=False, full=thoroughly
            )
            return removed

    def _erase(self, names: Collection[str]) -> None:
        listed = ", ".join("'" + name.replace("'", "''") + "'" for name in sorted(names))
        buckets = ", ".join(map(str, sorted({*buckets_of(pa.array(sorted(names))).tolist()})))
        self._table.delete(
            f"bucket IN ({buckets}) AND kind <> {int(Kind.ERASE)} AND listener_id IN ({listed})",
            writer_properties=WRITTEN,
            commit_properties=CommitProperties(max_commit_retries=0),
        )

    def _read(self, columns: list[str], wanted: ds.Expression, places: Any) -> pa.Table:
        with _told():
            found = self._table.to_pyarrow_dataset(file_pruning_predicate=places)
            return found.to_table(columns=columns, filter=wanted)

    def _cluttered(self) -> list[str]:
        """The days of which a bucket has many small files."""
        files = pa.table(self._table.get_add_actions(flatten=True)).to_pylist()
        small = Counter(
            (str(file["partition.day"]), file["partition.bucket"])
            for file in files
            if file["size_bytes"] < SMALL_BYTES
        )
        return sorted({day for (day, _), count in small.items() if count >= SMALL_FILES})

    def _compact(self, day: str) -> int:
        done = self._table.optimize.compact(
            [("day", "=", day)],
            target_size=FILE_BYTES,
            max_concurrent_tasks=1,
            writer_properties=WRITTEN,
        )
        return int(done["numFilesRemoved"])


def buckets_of(listeners: Any) -> Any:
    """Tell the bucket of each listener of a column."""
    return partitions_of(listeners, BUCKETS)


def _placed(beats: pa.Table) -> pa.Table:
    """Add the day and the bucket of each heartbeat; those of a listener lie together, in order."""
    beats = beats.combine_chunks().sort_by([("listener_id", "ascending"), ("at", "ascending")])
    listeners = beats.column("listener_id").combine_chunks()
    days = pc.divide(beats.column("at"), DAY_MS).cast(pa.int32()).cast(pa.date32())
    buckets = pa.array(buckets_of(listeners)).cast(pa.int32())
    return pa.table([*beats.columns, days, buckets], schema=pa.schema([*ARCHIVED, *PLACES]))


def _make(place: str, options: dict[str, str]) -> None:
    DeltaTable.create(
        place,
        pa.schema([*ARCHIVED, *PLACES]),
        mode="ignore",
        partition_by=[field.name for field in PLACES],
        configuration=CONFIGURATION,
        storage_options=options,
    )


def _commit(offsets: Offsets, lacking_ms: int) -> CommitProperties:
    transactions = [Transaction(_part(*part), offset) for part, offset in offsets.items()]
    if lacking_ms:
        transactions.append(Transaction(LACKING, lacking_ms))
    # Delta would commit after others' writes by itself where it thinks them harmless.
    return CommitProperties(app_transactions=transactions, max_commit_retries=0)


def _part(generation: int, partition: int) -> str:
    return f"{generation}/{partition}"


def _day(at_ms: int) -> str:
    day: date = datetime.fromtimestamp(at_ms // DAY_MS * DAY_MS // 1000, UTC).date()
    return day.isoformat()


@contextmanager
def _told() -> Iterator[None]:
    """Raise what the library says as ours, but for a lost race, which the caller may want."""
    try:
        yield
    except CommitFailedError:
        raise
    except (DeltaError, OSError, pa.ArrowException) as error:
        raise Unavailable(f"the warehouse: {_in_a_line(str(error))}") from None


def _in_a_line(told: str) -> str:
    """The library draws its errors as trees, in colours."""
    return " ".join(_DRAWN.sub(" ", told).split())[:MOST_TOLD]
