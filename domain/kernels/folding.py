"""The second pass over a batch: apply the heartbeats; every row touched is dirty afterwards."""

from domain.kernels.compiled import inline, jit
from domain.kernels.cursor import (
    begin_chain,
    continues,
    count,
    settle,
    touch_hours,
    touch_plays,
)
from domain.kernels.memory import AHEAD
from domain.kernels.records import foresee_listener, foresee_records, foresee_runs, play_row
from domain.kernels.state import DIRTIES, DIRTY, ERASED, KIND_ERASE, KIND_STOP, NONE, PENDING
from domain.kernels.texts import earlier_texts


@jit
def fold(state, batch, found, epoch, erased):
    """Apply a batch. *erased* receives the erased listeners; their number stands first."""
    listeners, dirty, counts = state.listeners, state.dirty, state.counts
    ats, kinds, stretches = batch.at, batch.kind, batch.stretch
    position_ms, positions = batch.position_ms, batch.positions
    slot_of, lane_found = found.slot, found.lane
    for row in range(len(ats)):
        foresee(state, batch, found, row)
        slot, lane = slot_of[row], lane_found[row]
        listener = listeners[slot]
        at, kind, stretch = ats[row], kinds[row], stretches[row]
        if kind == KIND_ERASE:
            forget(state, slot)
            erased[0] += 1
            erased[erased[0]] = slot
        listener.epoch = epoch
        if listener.flags & ERASED:
            continue
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
            if at >= listener.counts_from:
                count(state, slot, positions[row], epoch)
        else:
            turn(state, slot, lane, batch, row, epoch, positions[row])
        notice(listener, at, position_ms[row], kind, listener.cursor_play)


@inline
def foresee(state, batch, found, row):
    """Ask for what the rows after this one need: their listeners, then the records of those, ..."""
    rows = len(found.slot)
    if row + AHEAD < rows:
        foresee_listener(state.listeners, found.slot[row + AHEAD])
    soon = row + AHEAD // 2
    if soon < rows and touches_rows(state, batch, found, soon):
        foresee_records(state, state.listeners[found.slot[soon]])
    soon = row + AHEAD // 4
    if soon < rows and touches_rows(state, batch, found, soon):
        foresee_runs(state, state.listeners[found.slot[soon]])


@inline
def touches_rows(state, batch, found, row):
    """Whether a heartbeat needs more than its listener, as far as can be told before its turn."""
    listener = state.listeners[found.slot[row]]
    return batch.at[row] >= listener.counts_from or not continues(
        listener, found.lane[row], batch.stretch[row], batch.at[row]
    )


@jit
def turn(state, slot, lane, batch, row, epoch, position):
    """Settle the cursor's chain, put an instant into its rows, and begin a new chain with it."""
    listener, at, stretch = state.listeners[slot], batch.at[row], batch.stretch[row]
    settle(state, slot, epoch)
    touch_hours(state, slot, lane, stretch, at, at, epoch)
    wanting = touch_plays(state, slot, lane, stretch, at, at, position, epoch)
    begin_chain(listener, lane, stretch, at, wanting)
    listener.cursor_play = play_row(state, slot, lane, at)
    earlier_texts(state, listener.cursor_play, batch, row)


@inline
def notice(listener, at, position_ms, kind, play):
    """Keep what presence shows of a listener's newest heartbeat."""
    if at >= listener.seen_at and play != NONE:
        listener.seen_at = at
        listener.seen_position = position_ms
        listener.seen_kind = kind
        listener.seen_play = play


@jit
def forget(state, slot):
    """Erase a listener from memory, and remember that it is erased."""
    listener = state.listeners[slot]
    listener.flags = (listener.flags & DIRTY) | ERASED
    listener.hours = listener.weeks = listener.plays = NONE
    listener.seen_play = listener.cursor_play = NONE
    listener.limit = -1
    listener.known = 0
    listener.seen_at = 0
