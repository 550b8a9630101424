"""A day of listeners: everybody listens once, from some moment of it on; in the order of time."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from aiokafka import AIOKafkaProducer

from bench.fold import Numbers, names_of
from domain.batches import SCHEMA
from domain.heartbeats import KINDS, Kind
from domain.units import DAY_MS

BEAT_MS = 30_000
BEATS_PER_TRACK = 7
TRACKS = 50_000
PICKS = 1 << 18
BATCH_ROWS = 50_000
BUFFER_BYTES = 256 << 10
_KIND = {int(kind): name for name, kind in KINDS.items()}
_JSON = (
    '{"id":"%s","listener_id":"%s","track_id":"%s","play_id":"%s","stretch":0,"kind":"%s",'
    '"at":%d,"device_id":"phone","context":"album:1"}'
)


def day(listeners: int, beats: int, end_ms: int) -> Iterator[pa.RecordBatch]:
    """Heartbeats of a day that ends at *end_ms*: *beats* of each listener, 30 s apart."""
    rng = np.random.default_rng(7)
    begins = rng.integers(0, DAY_MS - beats * BEAT_MS, listeners) + end_ms - DAY_MS
    who = np.repeat(np.arange(listeners), beats)
    step = np.tile(np.arange(beats), listeners)
    at = begins[who] + step * BEAT_MS
    charts = rng.choice(TRACKS, PICKS, p=_popularity(rng))
    order = np.argsort(at, kind="stable")
    for start in range(0, len(order), BATCH_ROWS):
        some = order[start : start + BATCH_ROWS]
        yield _batch(who[some], step[some], at[some], charts)


def _popularity(rng: np.random.Generator) -> Numbers:
    wanted = rng.pareto(0.8, TRACKS)
    return wanted / wanted.sum()


def _batch(who: Numbers, step: Numbers, at: Numbers, charts: Numbers) -> pa.RecordBatch:
    song, rows = step // BEATS_PER_TRACK, len(who)
    columns = {
        "listener_id": names_of(who),
        "track_id": names_of(charts[(who * 31 + song) % PICKS]),
        "play_id": names_of(who * 1_003 + song),
        "stretch": np.zeros(rows, "i4"),
        "kind": np.where(step % BEATS_PER_TRACK, int(Kind.BEAT), int(Kind.START)),
        "at": at,
        "position_ms": np.full(rows, -1),
        "device_id": ["phone"] * rows,
        "context": ["album:1"] * rows,
        "id": names_of(who * 97_003 + step),
    }
    arrays = [pa.array(columns[f.name], f.type) for f in SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def singles(batch: pa.RecordBatch) -> Iterator[tuple[bytes, bytes]]:
    """The key and the value of each heartbeat, as another producer writes it."""
    names = ("id", "listener_id", "track_id", "play_id", "kind", "at")
    columns = [batch.column(name).to_pylist() for name in names]
    for row in zip(*columns, strict=True):
        identity, listener, track, play, kind, at = row
        value = _JSON % (identity, listener, track, play, _KIND[kind], at)
        yield listener.encode(), value.encode()


async def write_singles(servers: str, topic: str, batches: Iterator[pa.RecordBatch]) -> int:
    """Write a day to *topic*; tells how many heartbeats there were."""
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, acks=1, linger_ms=50, max_batch_size=BUFFER_BYTES
    )
    await producer.start()
    written = 0
    for batch in batches:
        for key, value in singles(batch):
            await producer.send(topic, value, key)
        written += batch.num_rows
        await asyncio.sleep(0)
    await producer.stop()
    return written
