"""What stored rows of a listener look like inside: one format byte, then packed little-endian records.

    hour   format | HOUR_RUN ...      runs by lane of one UTC hour, ordered by start
    week   format | WEEK_QUARTER ...  the quarters listened to, ascending
    play   format | PLAY_HEAD | PLAY_RUN ... | texts
    texts  TEXT_HEAD | track_id | play_id | device_id | context

A lane is named by the play's lane key and the stretch (`domain.hashing.lane_key`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.errors import UnreadableRecord
from domain.hashing import MASK
from domain.quarters import Quarters
from domain.units import DAY_MS, PLAY_MS, QUARTERS_PER_WEEK, quarter_of, week_start_ms

FORMAT = 1
NO_DAY = -(1 << 31)  # a play with a play_id belongs to no day

HOUR_RUN = np.dtype([("play", "<u8"), ("stretch", "<i4"), ("start", "<i4"), ("end", "<i4")])
WEEK_QUARTER = np.dtype([("quarter", "<u2"), ("ms", "<u4")])
PLAY_HEAD = np.dtype([("day", "<i4"), ("runs", "<u4"), ("reached", "<i8"), ("text_at", "<i8")])
PLAY_RUN = np.dtype([("stretch", "<i4"), ("start", "<i8"), ("end", "<i8")])
TEXT_HEAD = Struct("<BBBH")  # sizes in bytes: track, play, device, context

Records = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Play:
    """One play as history shows it; times in ms since the epoch."""

    key: int
    track_id: str
    play_id: str
    played_at_ms: int  # its first instant
    ended_at_ms: int  # its last
    ms_played: int
    counted: bool  # 30 s and more were listened
    context: str
    device_id: str
    reached: int  # the position of the record with which it reached 30 s; NEVER before that


def signed(key: int) -> int:
    """Write a 64-bit key as stores keep it."""
    return key - (MASK + 1) if key >> 63 else key


def unsigned(key: int) -> int:
    """Undo `signed`."""
    return key & MASK


def _packed(state: bytes, kind: np.dtype[Any], start: int, stop: int) -> memoryview:
    if not state or state[0] != FORMAT or (stop - start) % kind.itemsize or stop > len(state):
        raise UnreadableRecord("a stored row has an unknown format")
    return memoryview(state)[start:stop]


def _records(state: bytes, kind: np.dtype[Any], start: int, stop: int) -> Records:
    return np.frombuffer(_packed(state, kind, start, stop), kind)


def read_hour(state: bytes) -> Records:
    """Read an hour row: an array of HOUR_RUN; start and end count from the hour's beginning."""
    return _records(state, HOUR_RUN, 1, len(state))


def read_week(state: bytes) -> Records:
    """Read a week row: an array of WEEK_QUARTER, quarters counted from the week's beginning."""
    return _records(state, WEEK_QUARTER, 1, len(state))


def read_weeks(states: Mapping[int, bytes]) -> Quarters:
    """Read week rows, the UTC week of each to its state."""
    weeks = sorted(states)
    packed = [_packed(states[week], WEEK_QUARTER, 1, len(states[week])) for week in weeks]
    begins = [quarter_of(week_start_ms(week)) for week in weeks]
    heard = np.frombuffer(b"".join(packed), WEEK_QUARTER)
    counts = [len(of_week) // WEEK_QUARTER.itemsize for of_week in packed]
    numbers = np.repeat(np.array(begins, np.int64), counts) + heard["quarter"]
    return Quarters(numbers, heard["ms"].astype(np.int64))


def read_play(state: bytes) -> tuple[Any, Records, bytes]:
    """Read a play row: its PLAY_HEAD, an array of PLAY_RUN, and its texts."""
    runs_at = 1 + PLAY_HEAD.itemsize
    head = _records(state, PLAY_HEAD, 1, runs_at)[0]
    texts_at = runs_at + int(head["runs"]) * PLAY_RUN.itemsize
    runs, texts = _records(state, PLAY_RUN, runs_at, texts_at), state[texts_at:]
    if len(texts) < TEXT_HEAD.size or len(texts) != sum(
        TEXT_HEAD.unpack_from(texts), TEXT_HEAD.size
    ):
        raise UnreadableRecord("the texts of a stored play are cut")
    return head, runs, texts


def texts_of(texts: bytes) -> tuple[str, str, str, str]:
    """Read a play's texts: track_id, play_id, device_id, context."""
    track, play, device, _ = TEXT_HEAD.unpack_from(texts)
    play_at = TEXT_HEAD.size + track
    device_at = play_at + play
    context_at = device_at + device
    try:
        return (
            texts[TEXT_HEAD.size : play_at].decode(),
            texts[play_at:device_at].decode(),
            texts[device_at:context_at].decode(),
            texts[context_at:].decode(),
        )
    except UnicodeDecodeError as error:
        raise UnreadableRecord("the texts of a stored play are no UTF-8") from error


def union_ms(spans: list[tuple[int, int]]) -> int:
    """Measure the union of *spans*, each (start, end) in ms."""
    total, reached = 0, None
    for start, end in sorted(spans):
        begin = start if reached is None else max(start, reached)
        total += max(0, end - begin)
        reached = end if reached is None else max(reached, end)
    return total


def play_spans(head: Any, runs: Records) -> list[tuple[int, int]]:
    """The play's runs; of a play without a play_id, what of them lies in its UTC day."""
    spans = list(zip(runs["start"].tolist(), runs["end"].tolist(), strict=True))
    if int(head["day"]) == NO_DAY:
        return spans
    begin = int(head["day"]) * DAY_MS
    last = begin + DAY_MS
    return [(max(s, begin), min(e, last)) for s, e in spans if e >= begin and s < last]


def play_of(key: int, state: bytes) -> Play | None:
    """Read a play row as history shows it; None if it has no instant of its own in its UTC day."""
    head, runs, texts = read_play(state)
    spans = play_spans(head, runs)
    if not spans:
        return None
    track, play, device, context = texts_of(texts)
    listened = union_ms(spans)
    return Play(
        key=unsigned(key),
        track_id=track,
        play_id=play,
        played_at_ms=min(start for start, _ in spans),
        ended_at_ms=max(end for _, end in spans),
        ms_played=listened,
        counted=listened >= PLAY_MS,
        context=context,
        device_id=device,
        reached=int(head["reached"]),
    )


def hour_quarters(hour: int, state: bytes) -> dict[int, int]:
    """Measure an hour row anew: UTC quarter number to ms listened, quarters of that hour only."""
    runs = read_hour(state)
    spans = list(zip(runs["start"].tolist(), runs["end"].tolist(), strict=True))
    found = {}
    for quarter in range(4):
        first, last = quarter * 900_000, (quarter + 1) * 900_000
        listened = union_ms(
            [(max(s, first), min(e, last)) for s, e in spans if e > first and s < last]
        )
        if listened:
            found[hour * 4 + quarter] = listened
    return found


def encode_week(week: int, quarters: Mapping[int, int]) -> bytes:
    """Write a week row from UTC quarter number to ms listened."""
    first = quarter_of(week_start_ms(week))
    inside = sorted(
        (q - first, ms) for q, ms in quarters.items() if 0 <= q - first < QUARTERS_PER_WEEK
    )
    return bytes([FORMAT]) + np.array(inside, WEEK_QUARTER).tobytes()


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded dirty rows of one table: (listener id, key, state), sorted."""

    hours: list[tuple[str, int, bytes]]
    weeks: list[tuple[str, int, bytes]]
    plays: list[tuple[str, int, bytes]]

    def __len__(self) -> int:
        return len(self.hours) + len(self.weeks) + len(self.plays)
