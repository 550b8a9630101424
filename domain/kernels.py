"""The incremental fold as compiled loops over columns: what a shard does with every heartbeat.

Each listener has a *cursor*: the lane that its newest heartbeats were in, and the chain of joined
instants ``[since, last]`` that is not yet written into the rows. The next heartbeat of that lane, in
order and within 60 s, only moves ``last``. Anything else is the slow path: settle the chain into the
rows that it touches, put the new instant into its rows, and begin a new chain with it.

    plan     who is it, and which rows are needed that are not in memory?
    fold     apply the heartbeats; every row touched is dirty afterwards
    collect  settle all chains and write out the dirty rows
    sweep    copy what is still needed into fresh arrays

Rows hang on their listener in linked lists through array indices (-1 ends a list). An hour row holds
the instants of its UTC hour and less than a minute on either side, a day's play those of its UTC day
likewise; so an instant within a minute of a boundary goes into the rows of both sides.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.ids import LISTENER_ID_BYTES
from domain.rows import FORMAT as ROW_FORMAT
from domain.rows import HOUR_RUN, NO_DAY, PLAY_HEAD, PLAY_RUN, WEEK_QUARTER
from domain.units import (
    DAY_MS,
    EPOCH_WEEKDAY_MS,
    HOUR_MS,
    JOIN_MS,
    PLAY_MS,
    QUARTER_MS,
    QUARTERS_PER_WEEK,
    WEEK_MS,
)

Array = npt.NDArray[Any]

NONE = -1
FAR = (1 << 62) - 1
EDGE_MS = JOIN_MS - 1  # an instant this near to a boundary may join one beyond it
KEY_WORDS = LISTENER_ID_BYTES // 8
HOURS_PER_WEEK = 168
QUARTERS = QUARTERS_PER_WEEK

KIND_STOP, KIND_SKIP, KIND_ERASE, KIND_PAUSE = 3, 5, 6, 2

LISTENER = np.dtype(
    [
        ("play", "u8"),  # the cursor's lane ...
        ("since", "i8"),  # ... its chain of joined instants, the first of which is in the rows ...
        ("last", "i8"),
        ("limit", "i8"),  # ... and the latest instant that needs no slow path
        ("seen_at", "i8"),  # the newest heartbeat, for presence
        ("seen_position", "i8"),
        ("stretch", "i4"),
        ("hours", "i4"),
        ("weeks", "i4"),
        ("plays", "i4"),
        ("seen_play", "i4"),
        ("epoch", "i4"),
        ("seen_kind", "i1"),
        ("flags", "u1"),
        ("pad", "u2"),
        ("cursor_play", "i4"),  # the record of the cursor's play
    ]
)
DIRTY, ERASED, LOADED, WANTED, COUNTED, PENDING = 1, 2, 4, 8, 16, 32

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
        ("pad", "u1", (7,)),
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
        ("text_size", "i4"),
        ("listener", "i4"),
        ("next", "i4"),
        ("day", "i4"),
        ("runs", "i4"),
        ("epoch", "i4"),
        ("flags", "u1"),
        ("pad", "u1", (7,)),
    ]
)
SPAN = np.dtype([("stretch", "i4"), ("next", "i4"), ("start", "i8"), ("end", "i8")])

RUN_BYTES, QUARTER_BYTES = HOUR_RUN.itemsize, WEEK_QUARTER.itemsize
HEAD_BYTES, SPAN_BYTES = PLAY_HEAD.itemsize, PLAY_RUN.itemsize

# indices into State.counts
LISTENERS, HOURS, RUNS, WEEKS, PLAYS, SPANS, TEXTS, DIRTIES = range(8)


class State(NamedTuple):
    """Everything that is known of a partition's active listeners."""

    counts: Array  # i8[8]: how much of each array below is in use
    slots: Array  # i4[2**k]: the hash table of listeners, -1 where free
    marks: Array  # u4[2**k]: upper bits of the hash in that place
    keys: Array  # u8[n, 5]: listener ids, padded with zeros
    listeners: Array
    hours: Array
    runs: Array
    weeks: Array
    plays: Array
    spans: Array
    texts: Array  # u1
    dirty: Array  # i4[n]: slots of listeners with dirty rows


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

    slot: Array  # i4
    lane: Array  # u8


_M1 = np.uint64(0xFF51AFD7ED558CCD)
_M2 = np.uint64(0xC4CEB9FE1A85EC53)
_33 = np.uint64(33)
_ONE = np.uint64(1)
_EVEN = np.uint64(0xFFFFFFFFFFFFFFFE)

_jit = njit(cache=True, nogil=True, boundscheck=False)
# a call hands over two dozen arrays by value: what the loops call is put into them
_inline = njit(cache=True, nogil=True, boundscheck=False, forceinline=True)


@_inline
def mix64(word):
    """`domain.hashing.mix64`."""
    word ^= word >> _33
    word *= _M1
    word ^= word >> _33
    word *= _M2
    return word ^ (word >> _33)


@_inline
def word_at(data, start, stop):
    """Up to eight bytes from *start*, little-endian, zeros beyond *stop*."""
    word = np.uint64(0)
    if stop - start >= 8:
        for place in range(8):
            word |= np.uint64(data[start + place]) << np.uint64(8 * place)
    else:
        for place in range(stop - start):
            word |= np.uint64(data[start + place]) << np.uint64(8 * place)
    return word


@_inline
def hash64(data, start, stop, seed):
    """`domain.hashing.hash64` of ``data[start:stop]``."""
    state = mix64(seed ^ np.uint64(stop - start))
    for at in range(start, stop, 8):
        state = mix64(state ^ word_at(data, at, stop))
    return state


@_jit
def hash_rows(offsets, data):
    """Hash each string of an Arrow utf8 column."""
    found = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(found)):
        found[row] = hash64(data, offsets[row], offsets[row + 1], np.uint64(0))
    return found


@_inline
def lane_of(tracks, track, track_end, plays, play, play_end):
    """`domain.hashing.lane_key` of two slices of bytes."""
    if play_end == play:
        return hash64(tracks, track, track_end, np.uint64(0)) | _ONE
    seed = hash64(plays, play, play_end, np.uint64(0))
    return hash64(tracks, track, track_end, seed) & _EVEN


@_inline
def day_key(lane, day):
    """`domain.hashing.day_key`."""
    return mix64(lane ^ mix64(np.uint64(np.int64(day)))) | _ONE


# --- listeners -------------------------------------------------------------------------------------


@_inline
def is_key(keys, slot, data, start, stop):
    """Whether a listener's id is ``data[start:stop]``; ids have no zero bytes, so zeros follow it."""
    part = 0
    while start < stop:
        if keys[slot, part] != word_at(data, start, stop):
            return False
        start += 8
        part += 1
    return start > stop or part == KEY_WORDS or keys[slot, part] == np.uint64(0)


@_inline
def place_of(slots, marks, keys, data, start, stop, code):
    """The place in the hash table where the listener ``data[start:stop]`` is, or would be."""
    last = len(slots) - 1
    place = np.int64(code & np.uint64(last))
    mark = np.uint32(code >> np.uint64(32))
    while slots[place] != NONE:
        if marks[place] == mark and is_key(keys, slots[place], data, start, stop):
            break
        place = (place + 1) & last
    return place


@_jit
def new_listener(state, data, start, stop, place, code):
    """Take a listener into the table; nothing is known of it yet."""
    slot = state.counts[LISTENERS]
    state.counts[LISTENERS] += 1
    state.slots[place] = slot
    state.marks[place] = np.uint32(code >> np.uint64(32))
    for part in range(KEY_WORDS):
        at = start + 8 * part
        state.keys[slot, part] = word_at(data, at, stop) if at < stop else np.uint64(0)
    listener = state.listeners[slot]
    listener.play = np.uint64(0)
    listener.since = listener.last = listener.seen_at = 0
    listener.limit = listener.seen_position = -1
    listener.stretch = -1
    listener.hours = listener.weeks = listener.plays = NONE
    listener.seen_play = listener.cursor_play = NONE
    listener.epoch = 0
    listener.seen_kind = 0
    listener.flags = 0
    return slot


@_jit
def key_hash(keys, slot):
    """The hash of a kept listener id: the same as of its bytes."""
    size = 0
    for part in range(KEY_WORDS):
        for place in range(8):
            if (keys[slot, part] >> np.uint64(8 * place)) & np.uint64(255):
                size = 8 * part + place + 1
    code = mix64(np.uint64(size))
    for part in range((size + 7) // 8):
        code = mix64(code ^ keys[slot, part])
    return code


@_jit
def rehash(state):
    """Fill the (emptied) hash table from the kept ids."""
    size = len(state.slots)
    for slot in range(state.counts[LISTENERS]):
        code = key_hash(state.keys, slot)
        place = np.int64(code & np.uint64(size - 1))
        while state.slots[place] != NONE:
            place = (place + 1) & (size - 1)
        state.slots[place] = slot
        state.marks[place] = np.uint32(code >> np.uint64(32))


@_jit
def find_slots(state, offsets, data, found):
    """Where listeners are, -1 for those who are not in memory."""
    slots, marks, keys = state.slots, state.marks, state.keys
    for row in range(len(found)):
        start, stop = offsets[row], offsets[row + 1]
        code = hash64(data, start, stop, np.uint64(0))
        found[row] = slots[place_of(slots, marks, keys, data, start, stop, code)]


# --- rows of a listener ----------------------------------------------------------------------------


@_inline
def length(records, first):
    """How many records hang in a list."""
    count, found = 0, first
    while found != NONE:
        count, found = count + 1, records[found].next
    return count


@_inline
def find_hour(state, slot, hour):
    """The listener's record of a UTC hour, moved to the front of the list; -1 if there is none."""
    listener = state.listeners[slot]
    found, before = listener.hours, NONE
    while found != NONE and state.hours[found].hour != hour:
        before, found = found, state.hours[found].next
    if found != NONE and before != NONE:
        state.hours[before].next = state.hours[found].next
        state.hours[found].next = listener.hours
        listener.hours = found
    return found


@_inline
def new_hour(state, slot, hour):
    """Begin a record of a UTC hour of which nothing is loaded."""
    made = state.counts[HOURS]
    state.counts[HOURS] += 1
    record = state.hours[made]
    record.lanes = np.uint64(0)
    record.listener = slot
    record.hour = hour
    record.runs = NONE
    record.latest = -HOUR_MS
    record.epoch = 0
    record.flags = 0
    for quarter in range(4):
        record.ms[quarter] = 0
    record.next = state.listeners[slot].hours
    state.listeners[slot].hours = made
    return made


@_inline
def find_week(state, slot, week):
    """The listener's record of a UTC week; -1 if there is none."""
    found = state.listeners[slot].weeks
    while found != NONE and state.weeks[found].week != week:
        found = state.weeks[found].next
    return found


@_inline
def new_week(state, slot, week):
    """Begin a record of a UTC week of which nothing is loaded."""
    made = state.counts[WEEKS]
    state.counts[WEEKS] += 1
    record = state.weeks[made]
    record.listener = slot
    record.week = week
    record.flags = 0
    record.next = state.listeners[slot].weeks
    state.listeners[slot].weeks = made
    return made


@_inline
def find_play(state, slot, play):
    """The listener's record of a play; -1 if there is none."""
    found = state.listeners[slot].plays
    while found != NONE and state.plays[found].play != play:
        found = state.plays[found].next
    return found


@_inline
def put_bytes(state, data, start, stop):
    """Append bytes to the texts."""
    at = state.counts[TEXTS]
    for place in range(stop - start):
        state.texts[at + place] = data[start + place]
    state.counts[TEXTS] += stop - start


@_inline
def put_texts(state, record, batch, row):
    """Keep the row's texts as those of a play (`domain.rows.TEXT_HEAD` and what follows it)."""
    at = state.counts[TEXTS]
    context = batch.context_offsets[row + 1] - batch.context_offsets[row]
    state.texts[at] = batch.track_offsets[row + 1] - batch.track_offsets[row]
    state.texts[at + 1] = batch.play_offsets[row + 1] - batch.play_offsets[row]
    state.texts[at + 2] = batch.device_offsets[row + 1] - batch.device_offsets[row]
    state.texts[at + 3] = context & 255
    state.texts[at + 4] = context >> 8
    state.counts[TEXTS] += 5
    put_bytes(state, batch.track_bytes, batch.track_offsets[row], batch.track_offsets[row + 1])
    put_bytes(state, batch.play_bytes, batch.play_offsets[row], batch.play_offsets[row + 1])
    put_bytes(state, batch.device_bytes, batch.device_offsets[row], batch.device_offsets[row + 1])
    put_bytes(
        state, batch.context_bytes, batch.context_offsets[row], batch.context_offsets[row + 1]
    )
    record.text = at
    record.text_size = state.counts[TEXTS] - at
    record.text_at = batch.at[row]


@_jit
def texts_before(state, record, batch, row):
    """Whether the row's context and device, of an equally early instant, come before the kept ones."""
    at = record.text
    size = np.int64(state.texts[at + 3]) | (np.int64(state.texts[at + 4]) << 8)
    device_size = np.int64(state.texts[at + 2])
    device = at + 5 + np.int64(state.texts[at]) + np.int64(state.texts[at + 1])
    order = compare(
        batch.context_bytes,
        batch.context_offsets[row],
        batch.context_offsets[row + 1],
        state.texts,
        device + device_size,
        device + device_size + size,
    )
    if order == 0:
        order = compare(
            batch.device_bytes,
            batch.device_offsets[row],
            batch.device_offsets[row + 1],
            state.texts,
            device,
            device + device_size,
        )
    return order < 0


@_jit
def compare(left, start, stop, right, begin, end):
    """Order two byte strings: negative if the left one comes first."""
    for place in range(min(stop - start, end - begin)):
        a, b = np.int64(left[start + place]), np.int64(right[begin + place])
        if a != b:
            return a - b
    return np.int64((stop - start) - (end - begin))


@_inline
def new_play(state, slot, play, day, batch, row):
    """Begin a record of a play of which nothing is loaded."""
    made = state.counts[PLAYS]
    state.counts[PLAYS] += 1
    record = state.plays[made]
    record.play = play
    record.reached = 0
    record.ms = 0
    record.listener = slot
    record.day = day
    record.runs = NONE
    record.epoch = 0
    record.flags = 0
    put_texts(state, record, batch, row)
    if day != NO_DAY and batch.at[row] // DAY_MS != day:
        record.text_at = FAR  # of the day beside it: any heartbeat of this day knows better
    record.next = state.listeners[slot].plays
    state.listeners[slot].plays = made
    return made


# --- the rule --------------------------------------------------------------------------------------


@_inline
def continues(listener, lane, stretch, at):
    """Whether an instant only lengthens the cursor's chain."""
    return (
        lane == listener.play
        and stretch == listener.stretch
        and at >= listener.last
        and at - listener.last <= JOIN_MS
        and at <= listener.limit
    )


@_inline
def same_rows_until(at):
    """The last instant that goes into the same rows as *at*."""
    within = at % HOUR_MS
    if within <= EDGE_MS:
        return at - within + EDGE_MS
    if within < HOUR_MS - EDGE_MS:
        return at - within + HOUR_MS - EDGE_MS - 1
    return at - within + HOUR_MS + EDGE_MS


@_inline
def join_run(state, hour, lane, stretch, start, end):
    """Join a chain (ms since the hour's beginning) to the hour's runs of its lane."""
    record = state.hours[hour]
    head = record.runs
    if head != NONE:
        run = state.runs[head]
        newest = run.play == lane and run.stretch == stretch and run.end == record.latest
        if newest and run.start <= start and start - run.end <= JOIN_MS:
            run.end = max(run.end, end)
            record.latest = run.end
            return
    bit = _ONE << ((lane ^ np.uint64(stretch)) >> np.uint64(1) & np.uint64(63))
    kept = NONE
    if record.lanes & bit:
        before, found = NONE, head
        while found != NONE:
            run = state.runs[found]
            follows = run.next
            near = run.start - end <= JOIN_MS and start - run.end <= JOIN_MS
            if run.play == lane and run.stretch == stretch and near:
                start, end = min(start, run.start), max(end, run.end)
                if before == NONE:
                    record.runs = follows
                else:
                    state.runs[before].next = follows
                kept = found
            else:
                before = found
            found = follows
    if kept == NONE:
        kept = state.counts[RUNS]
        state.counts[RUNS] += 1
    record.lanes |= bit
    run = state.runs[kept]
    run.play = lane
    run.stretch = stretch
    run.start = start
    run.end = end
    run.next = record.runs
    record.runs = kept
    record.latest = max(record.latest, end)


@_inline
def join_span(state, play, stretch, start, end):
    """Join a chain to the play's runs of its stretch; tells whether anything changed."""
    record = state.plays[play]
    before, found, kept = NONE, record.runs, NONE
    while found != NONE:
        span = state.spans[found]
        follows = span.next
        if span.stretch == stretch and span.start - end <= JOIN_MS and start - span.end <= JOIN_MS:
            if span.start <= start and end <= span.end:
                return False
            start, end = min(start, span.start), max(end, span.end)
            if before == NONE:
                record.runs = follows
            else:
                state.spans[before].next = follows
            kept = found
        else:
            before = found
        found = follows
    if kept == NONE:
        kept = state.counts[SPANS]
        state.counts[SPANS] += 1
    span = state.spans[kept]
    span.stretch = stretch
    span.start = start
    span.end = end
    span.next = record.runs
    record.runs = kept
    return True


@_jit
def listened_ms(state, play):
    """The union of the play's runs; of a day's play, what of it lies within the day."""
    record = state.plays[play]
    first, last = np.int64(-(1 << 62)), np.int64(1 << 62)
    if record.day != NO_DAY:
        first = np.int64(record.day) * DAY_MS
        last = first + DAY_MS
    count = length(state.spans, record.runs)
    starts = np.empty(count, np.int64)
    ends = np.empty(count, np.int64)
    place, found = 0, record.runs
    while found != NONE:
        span = state.spans[found]
        starts[place] = min(max(span.start, first), last)
        ends[place] = min(max(span.end, first), last)
        place, found = place + 1, span.next
    total = np.int64(0)
    reached = np.int64(-(1 << 62))
    for place in np.argsort(starts):
        if ends[place] > reached:
            total += ends[place] - max(starts[place], reached)
            reached = ends[place]
    return total


@_inline
def touch_play(state, slot, play, stretch, start, end, position, epoch, reached):
    """Join a chain to a play; note in *reached* if it counts with the record at *position*.

    Returns the ms that are wanting before it counts; 0 once it does, -1 if that record is yet to come.
    """
    found = find_play(state, slot, play)
    record = state.plays[found]
    record.flags |= DIRTY
    record.epoch = epoch
    if join_span(state, found, stretch, start, end):
        head = state.spans[record.runs]
        if head.next == NONE and record.day == NO_DAY:
            record.ms = head.end - head.start
        else:
            record.ms = listened_ms(state, found)
    if record.reached == 0 and record.ms >= PLAY_MS:
        record.reached = position
    if position and record.reached == position and not record.flags & COUNTED:
        record.flags |= COUNTED
        reached[reached[0] + 1] = found
        reached[0] += 1
    if record.reached > position:
        return np.int64(-1)
    if record.reached:
        return np.int64(0)
    return PLAY_MS - record.ms


@_inline
def apply_chain(state, slot, lane, stretch, start, end, position, epoch, reached):
    """Put a chain, all of which goes into the same rows, into these rows."""
    for hour in range((start - JOIN_MS) // HOUR_MS, (start + EDGE_MS) // HOUR_MS + 1):
        found = find_hour(state, slot, hour)
        begin = np.int64(hour) * HOUR_MS
        state.hours[found].flags |= DIRTY
        state.hours[found].epoch = epoch
        join_run(state, found, lane, stretch, start - begin, end - begin)
        week = find_week(state, slot, (begin + EPOCH_WEEKDAY_MS) // WEEK_MS)
        state.weeks[week].flags |= DIRTY
    if not lane & _ONE:
        return touch_play(state, slot, lane, stretch, start, end, position, epoch, reached)
    wanting = np.int64(0)
    for day in range((start - JOIN_MS) // DAY_MS, (start + EDGE_MS) // DAY_MS + 1):
        play = day_key(lane, day)
        left = touch_play(state, slot, play, stretch, start, end, position, epoch, reached)
        wanting = left if wanting == 0 or left < 0 else min(wanting, left) if left else wanting
    return wanting


@_inline
def settle(state, slot, epoch, reached):
    """Write the cursor's chain into the rows; the limit has kept it from reaching a play's 30 s."""
    listener = state.listeners[slot]
    if listener.flags & PENDING:
        apply_chain(
            state,
            slot,
            listener.play,
            listener.stretch,
            listener.since,
            listener.last,
            0,
            epoch,
            reached,
        )
        listener.since = listener.last
        listener.flags &= ~PENDING


@_jit
def forget(state, slot):
    """Erase a listener from memory, and remember that it is erased."""
    listener = state.listeners[slot]
    listener.flags = (listener.flags & DIRTY) | ERASED
    listener.hours = listener.weeks = listener.plays = NONE
    listener.seen_play = listener.cursor_play = NONE
    listener.limit = -1
    listener.seen_at = 0


@_inline
def notice(listener, at, position_ms, kind, play):
    """Keep what presence shows of a listener's newest heartbeat."""
    if at >= listener.seen_at and play != NONE:
        listener.seen_at = at
        listener.seen_position = position_ms
        listener.seen_kind = kind
        listener.seen_play = play


@_inline
def play_row(state, slot, lane, at):
    """The record of the play that an instant belongs to."""
    if lane & _ONE:
        return find_play(state, slot, day_key(lane, at // DAY_MS))
    return find_play(state, slot, lane)


@_inline
def earlier_texts(state, play, batch, row):
    """Let the texts of a play be those of its earliest instant."""
    at, record = batch.at[row], state.plays[play]
    if at < record.text_at or (at == record.text_at and texts_before(state, record, batch, row)):
        put_texts(state, record, batch, row)


# --- the four passes -------------------------------------------------------------------------------


@_jit
def plan(state, batch, found, new, hours, weeks, plays):
    """Find each row's listener and lane, and begin every record that is needed and not in memory.

    *new* (slots), *hours*, *weeks*, *plays* (indices) receive what must be loaded; the first element
    of each counts the rest.
    """
    # taken out of the tuples here: to take an array out counts its references, which costs
    slots, marks, keys, listeners = state.slots, state.marks, state.keys, state.listeners
    names, name_at = batch.listener_bytes, batch.listener_offsets
    tracks, track_at = batch.track_bytes, batch.track_offsets
    ids, id_at = batch.play_bytes, batch.play_offsets
    ats, kinds, stretches = batch.at, batch.kind, batch.stretch
    slot_of, lane_found = found.slot, found.lane
    for row in range(len(ats)):
        start, stop = name_at[row], name_at[row + 1]
        code = hash64(names, start, stop, np.uint64(0))
        place = place_of(slots, marks, keys, names, start, stop, code)
        slot = slots[place]
        if slot == NONE:
            slot = new_listener(state, names, start, stop, place, code)
            new[0] += 1
            new[new[0]] = slot
        lane = lane_of(tracks, track_at[row], track_at[row + 1], ids, id_at[row], id_at[row + 1])
        slot_of[row], lane_found[row] = slot, lane
        listener = listeners[slot]
        idle = kinds[row] > KIND_STOP or listener.flags & ERASED
        if not (idle or continues(listener, lane, stretches[row], ats[row])):
            want_rows(state, slot, lane, batch, row, hours, weeks, plays)


@_jit
def want_rows(state, slot, lane, batch, row, hours, weeks, plays):
    """Begin whatever records an instant needs and memory has not, and note them as to be loaded."""
    at = batch.at[row]
    for hour in range((at - JOIN_MS) // HOUR_MS, (at + EDGE_MS) // HOUR_MS + 1):
        want_hour(state, slot, hour, hours, weeks)
    if lane & _ONE:
        for day in range((at - JOIN_MS) // DAY_MS, (at + EDGE_MS) // DAY_MS + 1):
            want_play(state, slot, day_key(lane, day), day, batch, row, plays)
    else:
        want_play(state, slot, lane, NO_DAY, batch, row, plays)


@_inline
def want_hour(state, slot, hour, hours, weeks):
    """Begin an hour's record and its week's, where they are missing, and note them as to be loaded."""
    found = find_hour(state, slot, hour)
    if found == NONE:
        found = new_hour(state, slot, hour)
    if not state.hours[found].flags & (LOADED | WANTED):
        state.hours[found].flags |= WANTED
        hours[0] += 1
        hours[hours[0]] = found
    week = (np.int64(hour) * HOUR_MS + EPOCH_WEEKDAY_MS) // WEEK_MS
    if find_week(state, slot, week) == NONE:
        made = new_week(state, slot, week)
        state.weeks[made].flags |= WANTED
        weeks[0] += 1
        weeks[weeks[0]] = made


@_inline
def want_play(state, slot, play, day, batch, row, plays):
    """Begin a play's record where it is missing, and note it as to be loaded."""
    if find_play(state, slot, play) == NONE:
        made = new_play(state, slot, play, day, batch, row)
        state.plays[made].flags |= WANTED
        plays[0] += 1
        plays[plays[0]] = made


@_jit
def install_hour(state, hour, runs):
    """Put what a stored hour row holds into a record that was wanted."""
    record = state.hours[hour]
    record.flags = (record.flags & ~WANTED) | LOADED
    for place in range(len(runs)):
        run = runs[place]
        join_run(state, hour, run.play, run.stretch, run.start, run.end)


@_jit
def install_week(state, week, quarters):
    """Put what a stored week row holds into the listener's hours; loaded ones count anew anyway."""
    record = state.weeks[week]
    record.flags = (record.flags & ~WANTED) | LOADED
    first = np.int64(record.week) * HOURS_PER_WEEK - EPOCH_WEEKDAY_MS // HOUR_MS
    for place in range(len(quarters)):
        quarter = np.int64(quarters[place].quarter)
        hour = find_hour(state, record.listener, first + quarter // 4)
        if hour == NONE:
            hour = new_hour(state, record.listener, first + quarter // 4)
        state.hours[hour].ms[quarter % 4] = quarters[place].ms


@_jit
def install_play(state, play, head, runs, texts):
    """Put what a stored play row holds into a record that was wanted."""
    record = state.plays[play]
    record.flags = (record.flags & ~WANTED) | LOADED
    record.reached = head[0].reached
    record.day = head[0].day
    record.text_at = head[0].text_at
    record.text = state.counts[TEXTS]
    record.text_size = len(texts)
    put_bytes(state, texts, 0, len(texts))
    for place in range(len(runs)):
        join_span(state, play, runs[place].stretch, runs[place].start, runs[place].end)
    record.ms = listened_ms(state, play)


@_jit
def fold(state, batch, found, epoch, reached, erased):
    """Apply a batch. *reached* receives the plays that count now, *erased* the erased listeners.

    Both begin with the number of what follows.
    """
    listeners, dirty, counts = state.listeners, state.dirty, state.counts
    ats, kinds, stretches = batch.at, batch.kind, batch.stretch
    position_ms, positions = batch.position_ms, batch.positions
    slot_of, lane_found = found.slot, found.lane
    for row in range(len(ats)):
        slot, lane = slot_of[row], lane_found[row]
        listener = listeners[slot]
        at, kind, stretch = ats[row], kinds[row], stretches[row]
        if kind == KIND_ERASE:
            forget(state, slot)
            erased[0] += 1
            erased[erased[0]] = slot
        if listener.flags & ERASED:
            continue
        listener.epoch = epoch
        if kind > KIND_STOP:
            notice(listener, at, position_ms[row], kind, play_row(state, slot, lane, at))
            continue
        if not listener.flags & DIRTY:
            listener.flags |= DIRTY
            dirty[counts[DIRTIES]] = slot
            counts[DIRTIES] += 1
        if continues(listener, lane, stretch, at):
            listener.last = at
            listener.flags |= PENDING
        else:
            turn(state, slot, lane, batch, row, epoch, positions[row], reached)
        notice(listener, at, position_ms[row], kind, listener.cursor_play)


@_jit
def turn(state, slot, lane, batch, row, epoch, position, reached):
    """Settle the cursor's chain, put an instant into its rows, and begin a new chain with it."""
    listener, at, stretch = state.listeners[slot], batch.at[row], batch.stretch[row]
    settle(state, slot, epoch, reached)
    wanting = apply_chain(state, slot, lane, stretch, at, at, position, epoch, reached)
    begin_chain(listener, lane, stretch, at, wanting)
    listener.cursor_play = play_row(state, slot, lane, at)
    earlier_texts(state, listener.cursor_play, batch, row)


@_inline
def begin_chain(listener, lane, stretch, at, wanting):
    """Let the cursor follow a lane; its limit is where the rows change or the play may count."""
    listener.play = lane
    listener.stretch = stretch
    listener.since = listener.last = at
    listener.limit = same_rows_until(at)
    if wanting > 0:
        listener.limit = min(listener.limit, at + wanting - 1)
    elif wanting < 0:
        listener.limit = at - 1


@_inline
def measure(state, hour, order):
    """Count an hour's quarters anew from its runs; *order* receives the runs by start."""
    record = state.hours[hour]
    count, found = 0, record.runs
    while found != NONE:
        place, start = count, state.runs[found].start
        while place > 0 and state.runs[order[place - 1]].start > start:
            order[place] = order[place - 1]
            place -= 1
        order[place] = found
        count, found = count + 1, state.runs[found].next
    for quarter in range(4):
        record.ms[quarter] = 0
    reached = 0
    for place in range(count):
        run = state.runs[order[place]]
        start, end = max(run.start, reached), min(run.end, HOUR_MS)
        while start < end:
            quarter = start // QUARTER_MS
            stop = min(end, (quarter + 1) * QUARTER_MS)
            record.ms[quarter] += stop - start
            start = stop
        reached = max(reached, end)
    return count


class Written(NamedTuple):
    """The dirty rows, encoded: rows ``begin[i]:begin[i + 1]`` of *out* belong to key ``key[i]``."""

    table: Array  # i1: 0 hour, 1 week, 2 play
    owner: Array  # i8: which of the listeners written out
    key: Array  # i8
    begin: Array  # i8
    out: Array  # u1
    used: Array  # i8[2]: rows, bytes


@_inline
def put_int(out, at, value, size):
    """Write *size* bytes of an integer, little-endian."""
    for place in range(size):
        out[at + place] = (value >> (8 * place)) & 255
    return at + size


@_inline
def begin_row(written, table, owner, key):
    """Begin the next encoded row; tells where its bytes go."""
    row = written.used[0]
    written.table[row] = table
    written.owner[row] = owner
    written.key[row] = key
    written.begin[row] = written.used[1]
    written.used[0] += 1
    return put_int(written.out, written.used[1], ROW_FORMAT, 1)


@_inline
def end_row(written, at):
    """End a row whose bytes end at *at*."""
    written.used[1] = at
    written.begin[written.used[0]] = at


@_inline
def write_hour(state, owner, hour, written, order):
    """Encode an hour row, counting its quarters anew."""
    count = measure(state, hour, order)
    at = begin_row(written, 0, owner, state.hours[hour].hour)
    for place in range(count):
        run = state.runs[order[place]]
        at = put_int(written.out, at, np.int64(run.play), 8)
        at = put_int(written.out, at, np.int64(run.stretch), 4)
        at = put_int(written.out, at, np.int64(run.start), 4)
        at = put_int(written.out, at, np.int64(run.end), 4)
    end_row(written, at)


@_inline
def write_week(state, slot, owner, week, written, dense):
    """Encode a week row from the hours that the listener has in memory."""
    number = state.weeks[week].week
    first = np.int64(number) * HOURS_PER_WEEK - EPOCH_WEEKDAY_MS // HOUR_MS
    dense[:] = 0
    found = state.listeners[slot].hours
    while found != NONE:
        record = state.hours[found]
        place = record.hour - first
        if 0 <= place < HOURS_PER_WEEK:
            for quarter in range(4):
                dense[4 * place + quarter] = record.ms[quarter]
        found = record.next
    at = begin_row(written, 1, owner, number)
    for quarter in range(QUARTERS):
        if dense[quarter]:
            at = put_int(written.out, at, np.int64(quarter), 2)
            at = put_int(written.out, at, np.int64(dense[quarter]), 4)
    end_row(written, at)


@_inline
def write_play(state, owner, play, written):
    """Encode a play row."""
    record = state.plays[play]
    count = length(state.spans, record.runs)
    at = begin_row(written, 2, owner, np.int64(record.play))
    at = put_int(written.out, at, np.int64(record.day), 4)
    at = put_int(written.out, at, np.int64(count), 4)
    at = put_int(written.out, at, record.reached, 8)
    at = put_int(written.out, at, record.text_at, 8)
    found = record.runs
    while found != NONE:
        span = state.spans[found]
        at = put_int(written.out, at, np.int64(span.stretch), 4)
        at = put_int(written.out, at, span.start, 8)
        at = put_int(written.out, at, span.end, 8)
        found = span.next
    for place in range(record.text_size):
        written.out[at + place] = state.texts[record.text + place]
    end_row(written, at + record.text_size)


@_jit
def size_rows(state, slot, sizes):
    """Add a listener's dirty rows to *sizes*: rows, bytes at most, and the most runs of an hour."""
    listener = state.listeners[slot]
    hours, found = 0, listener.hours
    while found != NONE:
        hours += 1
        if state.hours[found].flags & DIRTY:
            count = length(state.runs, state.hours[found].runs)
            sizes[0] += 1
            sizes[1] += 1 + RUN_BYTES * count
            sizes[2] = max(sizes[2], count)
        found = state.hours[found].next
    found = listener.weeks
    while found != NONE:
        if state.weeks[found].flags & DIRTY:
            sizes[0] += 1
            sizes[1] += 1 + 4 * QUARTER_BYTES * hours
        found = state.weeks[found].next
    found = listener.plays
    while found != NONE:
        if state.plays[found].flags & DIRTY:
            count = length(state.spans, state.plays[found].runs)
            sizes[0] += 1
            sizes[1] += 1 + HEAD_BYTES + SPAN_BYTES * count + state.plays[found].text_size
        found = state.plays[found].next


@_jit
def settle_all(state, epoch, reached, sizes):
    """Settle every dirty listener's chain; *sizes* receives what `size_rows` adds up."""
    for place in range(state.counts[DIRTIES]):
        settle(state, state.dirty[place], epoch, reached)
        size_rows(state, state.dirty[place], sizes)


@_jit
def collect(state, slots, written, most_runs):
    """Encode every dirty row of *slots* (listeners in the order to write), and call them clean."""
    order = np.empty(most_runs, np.int64)
    dense = np.empty(QUARTERS, np.int32)
    for owner, slot in enumerate(slots):
        listener = state.listeners[slot]
        listener.flags &= ~DIRTY
        found = listener.hours
        while found != NONE:
            if state.hours[found].flags & DIRTY:
                write_hour(state, owner, found, written, order)
                state.hours[found].flags &= ~DIRTY
            found = state.hours[found].next
        found = listener.weeks
        while found != NONE:
            if state.weeks[found].flags & DIRTY:
                write_week(state, slot, owner, found, written, dense)
                state.weeks[found].flags &= ~DIRTY
            found = state.weeks[found].next
        found = listener.plays
        while found != NONE:
            if state.plays[found].flags & DIRTY:
                write_play(state, owner, found, written)
                state.plays[found].flags &= ~DIRTY
            found = state.plays[found].next
    state.counts[DIRTIES] = 0


@_jit
def copy_hour(state, fresh, slot, hour, oldest):
    """Keep an hour; its runs only if it was touched lately."""
    record = state.hours[hour]
    made = new_hour(fresh, slot, record.hour)
    for quarter in range(4):
        fresh.hours[made].ms[quarter] = record.ms[quarter]
    if record.flags & LOADED and record.epoch >= oldest:
        kept = fresh.hours[made]
        kept.epoch = record.epoch
        kept.flags = LOADED
        found = record.runs
        while found != NONE:
            run = state.runs[found]
            join_run(fresh, made, run.play, run.stretch, run.start, run.end)
            found = run.next


@_jit
def copy_play(state, fresh, slot, play):
    """Keep a play whole."""
    made = fresh.counts[PLAYS]
    fresh.counts[PLAYS] += 1
    fresh.plays[made] = state.plays[play]
    record = fresh.plays[made]
    record.listener = slot
    record.text = fresh.counts[TEXTS]
    put_bytes(fresh, state.texts, state.plays[play].text, state.plays[play].text + record.text_size)
    record.runs = NONE
    found = state.plays[play].runs
    while found != NONE:
        span = state.spans[found]
        join_span(fresh, made, span.stretch, span.start, span.end)
        found = span.next
    record.next = fresh.listeners[slot].plays
    fresh.listeners[slot].plays = made
    return made


@_jit
def sweep(state, fresh, oldest):
    """Copy the listeners touched since epoch *oldest*, with what was touched since, into *fresh*.

    Nothing may be dirty. Cursors are let go, so the next heartbeat finds its rows, or loads them.
    """
    for slot in range(state.counts[LISTENERS]):
        if state.listeners[slot].epoch < oldest:
            continue
        made = fresh.counts[LISTENERS]
        fresh.counts[LISTENERS] += 1
        fresh.keys[made] = state.keys[slot]
        fresh.listeners[made] = state.listeners[slot]
        listener = fresh.listeners[made]
        listener.hours = listener.weeks = listener.plays = NONE
        listener.seen_play = listener.cursor_play = NONE
        listener.limit = -1
        found = state.listeners[slot].hours
        while found != NONE:
            copy_hour(state, fresh, made, found, oldest)
            found = state.hours[found].next
        found = state.listeners[slot].weeks
        while found != NONE:
            week = new_week(fresh, made, state.weeks[found].week)
            fresh.weeks[week].flags = state.weeks[found].flags
            found = state.weeks[found].next
        found = state.listeners[slot].plays
        while found != NONE:
            if state.plays[found].epoch >= oldest:
                kept = copy_play(state, fresh, made, found)
                if found == state.listeners[slot].seen_play:
                    listener.seen_play = kept
            found = state.plays[found].next
    rehash(fresh)
