"""The log, split by listener into files that each fit in memory, and kept up with as it grows."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from domain.batches import SCHEMA, heartbeats_of
from domain.columns import decode
from domain.errors import UnreadableRecord
from domain.heartbeats import Heartbeat
from domain.ports import Log
from domain.positions import Generation
from heartline.heard import Heard, heard_of

BUCKETS = 64
READ_BYTES = 4 << 20
COMMITTED = "committed"
SPILLED = SCHEMA.append(pa.field(COMMITTED, pa.bool_(), nullable=False))


class LogBuckets:
    """Reads every generation of a log into *folder*, a file for each bucket of listeners."""

    numbers = range(BUCKETS)

    def __init__(
        self, log: Log, folder: Path, committed: Mapping[Generation, Sequence[int]]
    ) -> None:
        self._log = log
        self._committed = committed
        self._next = {
            (generation, partition): 0
            for generation, offsets in committed.items()
            for partition in range(len(offsets))
        }
        self._buckets = [_Bucket(folder / f"{number}.arrow") for number in range(BUCKETS)]
        self._bucket_of: dict[str, int] = {}
        self.tracks: set[str] = set()
        self.heartbeats = 0
        self.unreadable = 0

    async def advance(self, tell: Callable[[int], None] = lambda _: None) -> None:
        """Read what was appended since the last time; *tell* hears of each handful of records."""
        for (generation, partition), offset in list(self._next.items()):
            wanted = offset
            while records := await self._log.read(
                generation, partition, wanted, most_bytes=READ_BYTES
            ):
                for record in records:
                    durable = record.offset < self._committed[generation][partition]
                    self._spill(record.payload, committed=durable)
                wanted = records[-1].offset + 1
                tell(len(records))
            self._next[generation, partition] = wanted

    def heard(self, bucket: int) -> dict[str, Heard]:
        """Tell what each listener of a bucket said."""
        every: dict[str, list[Heartbeat]] = defaultdict(list)
        durable: dict[str, list[Heartbeat]] = defaultdict(list)
        for batch in self._buckets[bucket].batches():
            committed = batch.column(COMMITTED).to_pylist()
            plain = batch.select(SCHEMA.names)
            for beat, is_committed in zip(heartbeats_of(plain), committed, strict=True):
                every[beat.listener_id].append(beat)
                if is_committed:
                    durable[beat.listener_id].append(beat)
        return {name: heard_of(said, durable[name]) for name, said in every.items()}

    def size(self, bucket: int) -> int:
        """Tell how many heartbeats a bucket holds."""
        return self._buckets[bucket].rows

    def close(self) -> None:
        """Close every file."""
        for bucket in self._buckets:
            bucket.close()

    def _spill(self, payload: bytes, *, committed: bool) -> None:
        try:
            batch = decode(payload)
        except UnreadableRecord:
            self.unreadable += 1  # shards leave it out as well
            return
        self.heartbeats += batch.num_rows
        self.tracks.update(batch.column("track_id").unique().to_pylist())
        flags = pa.array([committed] * batch.num_rows, pa.bool_())
        table = pa.RecordBatch.from_arrays([*batch.columns, flags], schema=SPILLED)
        places: dict[int, list[int]] = {}
        for row, listener_id in enumerate(batch.column("listener_id").to_pylist()):
            places.setdefault(self._place(listener_id), []).append(row)
        for bucket, rows in places.items():
            whole = len(rows) == batch.num_rows
            self._buckets[bucket].add(table if whole else table.take(pa.array(rows)))

    def _place(self, listener_id: str) -> int:
        if len(self._bucket_of) > 1_000_000:
            self._bucket_of.clear()
        place = self._bucket_of.get(listener_id)
        if place is None:
            place = self._bucket_of[listener_id] = zlib.crc32(listener_id.encode()) % BUCKETS
        return place


class _Bucket:
    """One file, of Arrow IPC messages: written to its end, read from its beginning."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._waiting: list[pa.RecordBatch] = []
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)
        self.rows += batch.num_rows
        if sum(each.num_rows for each in self._waiting) >= 4_096:
            self._write()

    def _write(self) -> None:
        for batch in pa.Table.from_batches(self._waiting, SPILLED).combine_chunks().to_batches():
            message = batch.serialize()
            self._file.write(message.size.to_bytes(8, "little"))
            self._file.write(message)
        self._waiting = []

    def batches(self) -> list[pa.RecordBatch]:
        if self._waiting:
            self._write()
        self._file.flush()
        found, data = [], self._path.read_bytes()
        at = 0
        while at < len(data):
            size = int.from_bytes(data[at : at + 8], "little")
            found.append(
                pa.ipc.read_record_batch(pa.py_buffer(data[at + 8 : at + 8 + size]), SPILLED)
            )
            at += 8 + size
        return found

    def close(self) -> None:
        self._file.close()
