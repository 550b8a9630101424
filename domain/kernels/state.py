"""Everything a fold knows, as arrays; and the batches that go in, the rows that come out."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.heartbeats import LAST_COUNTED, Kind
from domain.ids import LISTENER_ID_BYTES
from domain.rows import HOUR_RUN, PLAY_HEAD, PLAY_RUN, WEEK_QUARTER
from domain.units import JOIN_MS, QUARTERS_PER_WEEK

Array = npt.NDArray[Any]

NONE = -1
FAR = (1 << 62) - 1
EDGE_MS = JOIN_MS - 1  # an instant this near to a boundary may join one beyond it
KEY_WORDS = LISTENER_ID_BYTES // 8
HOURS_PER_WEEK = 168
QUARTERS = QUARTERS_PER_WEEK

KIND_STOP, KIND_ERASE = int(LAST_COUNTED), int(Kind.ERASE)

LISTENER = np.dtype(
    [
        # what a heartbeat that continues needs: two lines of memory
        ("id", "u8", (KEY_WORDS,)),  # padded with zeros
        ("play", "u8"),  # the cursor's lane ...
        ("last", "i8"),  # ... the end of its chain of joined instants ...
        ("limit", "i8"),  # ... and the latest instant that goes into the same rows
        ("counts_from", "i8"),  # from this instant on the cursor's play may reach its 30 s
        ("since", "i8"),  # the beginning of the chain; it alone is in the rows
        ("seen_at", "i8"),  # the newest heartbeat, for presence
        ("seen_position", "i8"),
        ("stretch", "i4"),
        ("epoch", "i4"),
        ("seen_play", "i4"),
        ("cursor_play", "i4"),  # the record of the cursor's play
        ("hours", "i4"),
        ("weeks", "i4"),
        ("plays", "i4"),
        ("seen_kind", "i1"),
        ("flags", "u1"),
        ("known", "u2"),  # a Bloom filter of the plays in memory
    ]
)
DIRTY, ERASED, LOADED, WANTED, COUNTED, PENDING, ASKED = 1, 2, 4, 8, 16, 32, 64

HOUR = np.dtype(
    [
        ("lanes", "u8"),  # a Bloom filter: no bit, no run of that lane
        ("listener", "i4"),
        ("next", "i4"),
        ("hour", "i4"),
        ("runs", "i4"),
        ("latest", "i4"),  # the latest end of all runs
        ("epoch", "i4"),
        ("ms", "i4", (4,)),  # listened in each quarter, as of the last collect or load
        ("flags", "u1"),
        ("pad", "u1", (15,)),
    ]
)
RUN = np.dtype([("play", "u8"), ("stretch", "i4"), ("next", "i4"), ("start", "i4"), ("end", "i4")])
WEEK = np.dtype(
    [("listener", "i4"), ("next", "i4"), ("week", "i4"), ("flags", "u1"), ("pad", "u1", (3,))]
)
PLAY = np.dtype(
    [
        ("play", "u8"),
        ("reached", "i8"),  # the position with which it reached 30 s, 0 before
        ("text_at", "i8"),  # the instant that its texts come from
        ("text", "i8"),
        ("ms", "i8"),
        ("listener", "i4"),
        ("next", "i4"),
        ("day", "i4"),
        ("runs", "i4"),
        ("epoch", "i4"),
        ("text_size", "u2"),
        ("flags", "u1"),
        ("pad", "u1"),
    ]
)
SPAN = np.dtype([("stretch", "i4"), ("next", "i4"), ("start", "i8"), ("end", "i8")])

RUN_BYTES, QUARTER_BYTES = HOUR_RUN.itemsize, WEEK_QUARTER.itemsize
HEAD_BYTES, SPAN_BYTES = PLAY_HEAD.itemsize, PLAY_RUN.itemsize

# indices into State.counts
LISTENERS, HOURS, RUNS, WEEKS, PLAYS, SPANS, TEXTS, DIRTIES, COUNTINGS = range(9)


class State(NamedTuple):
    """Everything that is known of a partition's active listeners."""

    counts: Array  # i8[9]: how much of each array below is in use
    places: Array  # u8[2**k]: the hash table of listeners, see `domain.kernels.hash_table`
    listeners: Array
    hours: Array
    runs: Array
    weeks: Array
    plays: Array
    spans: Array
    texts: Array  # u1
    dirty: Array  # i4[n]: slots of listeners with dirty rows
    countings: Array  # i4[n]: plays that reached their 30 s since the last collect


class Columns(NamedTuple):
    """A batch as kernels see it: Arrow's offsets and bytes, without copies."""

    listener_offsets: Array
    listener_bytes: Array
    track_offsets: Array
    track_bytes: Array
    play_offsets: Array
    play_bytes: Array
    device_offsets: Array
    device_bytes: Array
    context_offsets: Array
    context_bytes: Array
    stretch: Array
    kind: Array
    at: Array
    position_ms: Array
    positions: Array  # i8: where in the log the row's record stands


class Resolved(NamedTuple):
    """What `plan` finds out about each row of a batch."""

    code: Array  # u8: the hash of the listener's id
    slot: Array  # i4
    lane: Array  # u8
    turning: (
        Array  # i4[1 + n]: rows of a block that may need more than their listener; first, how many
    )


class Written(NamedTuple):
    """The dirty rows, encoded: rows ``begin[i]:begin[i + 1]`` of *out* belong to key ``key[i]``."""

    table: Array  # i1: 0 hour, 1 week, 2 play
    owner: Array  # i8: which of the listeners written out
    key: Array  # i8
    begin: Array  # i8
    out: Array  # u1
    used: Array  # i8[2]: rows, bytes


ONE = np.uint64(1)
EVEN = np.uint64(0xFFFFFFFFFFFFFFFE)
