"""Compile the kernels once, so that no process has to: ``python -m domain.warm``."""

from collections.abc import Sequence

import numpy as np

from domain.batches import batch_of
from domain.columns import columns_of
from domain.fold import Fold
from domain.hashing import partition_of
from domain.heartbeats import Heartbeat, Kind
from domain.kernels.hashes import hash_rows
from domain.payloads import encode, open_payload
from domain.rows import Rows
from domain.wanted import States, Stored, Wanted


def _nothing(wanted: Wanted) -> Stored:
    return _stored(wanted, Rows([], [], []))


def _stored(wanted: Wanted, rows: Rows) -> Stored:
    def states(keys: Sequence[tuple[str, int]], of: Sequence[tuple[str, int, bytes]]) -> States:
        known = {(name, key): state for name, key, state in of}
        return [known.get(key) for key in keys]

    return Stored(
        erased=[False] * len(wanted.listeners),
        hours=states(wanted.hours, rows.hours),
        weeks=states(wanted.weeks, rows.weeks),
        plays=states(wanted.plays, rows.plays),
    )


def warm() -> None:
    """Send a few heartbeats through every kernel; numba keeps the compiled code on disk."""
    fold = Fold()
    beats = [
        Heartbeat(id=str(at), listener_id="warm", track_id="t", play_id=play, kind=kind, at=at)
        for play in ("", "p")
        for kind in (Kind.BEAT, Kind.SEEK)
        for at in (0, 30_000, 90_000_000)
    ]
    beats.append(Heartbeat(id="e", listener_id="gone", track_id="-", kind=Kind.ERASE, at=0))
    batch, _ = columns_of([open_payload(encode(batch_of(beats)))], [1])
    rows = fold.collect()
    for _ in range(2):
        found, wanted = fold.plan(batch)
        fold.install(wanted, _nothing(wanted))
        fold.apply(batch, found)
        fold.now_playing(["warm"], 0)
        fold.take_counted()
        rows = fold.collect()
        fold.sweep(fold.epoch)
    again = Fold()
    _, wanted = again.plan(batch)
    again.install(wanted, _stored(wanted, rows))
    hashes = np.zeros(len(beats), np.uint64)
    hash_rows(batch.listener_offsets, batch.listener_bytes, hashes)
    if int(hashes[0]) % 8 != partition_of("warm", 8):
        raise SystemExit("the compiled hash differs from the plain one")


if __name__ == "__main__":
    warm()
