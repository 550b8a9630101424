"""A play of a history as the heartbeats that a client would have sent.

A play becomes its interval ``[end - ms_played, end]`` as one stretch: a `start`, a `beat` each 30 s, a
`stop` at the end; a play of 0 ms, or without a duration, is one `start`. Ids are a function of what
the play says and of the shift, so that the same file twice changes nothing. Two equal rows of one
file are two plays; the same row in two files (exports overlap) is one.
"""

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256

from msgspec.structs import replace

from domain.ids import base62
from domain.units import SECOND_MS, WEEK_MS
from heartline.history_rows import Play
from heartline.poster import Beat

BEAT_MS = 30 * SECOND_MS
DEVICE = "replay"


def weeks_to_now(newest_ms: int, now_ms: int) -> int:
    """The largest number of whole weeks that keeps *newest_ms* in the past; negative if it is not."""
    return (now_ms - newest_ms) // WEEK_MS


def started_ms(play: Play) -> int:
    """Tell when a play began."""
    return play.ended_ms - (play.ms_played or 0)


def heartbeats_in(play: Play) -> int:
    """Count the heartbeats of which a play is made: one each 30 s, and one at the end."""
    return math.ceil((play.ms_played or 0) / BEAT_MS) + 1


def identified(plays: Iterable[Play], shift_ms: int) -> Iterator[tuple[str, Play]]:
    """Move the plays of one file by *shift_ms*, and give each the id that is its alone."""
    seen: Counter[bytes] = Counter()
    for play in plays:
        moved = replace(play, ended_ms=play.ended_ms + shift_ms)
        said = (moved.ended_ms, play.ms_played, play.track_id, play.artist, play.title, play.source)
        content = sha256("\0".join(map(str, said)).encode(errors="surrogatepass")).digest()[:16]
        occurrence = seen[content].to_bytes(4, "big")
        seen[content] += 1
        yield base62(sha256(content + occurrence).digest()[:16]), moved


def beats_of(play_id: str, play: Play) -> Iterator[Beat]:
    """Give the heartbeats of one play, in their order."""
    start, length = started_ms(play), play.ms_played or 0
    yield _beat(play_id, play, "start", start)
    for at in range(start + BEAT_MS, play.ended_ms, BEAT_MS) if length else ():
        yield _beat(play_id, play, "beat", at)
    if length:
        yield _beat(play_id, play, "stop", play.ended_ms)


def _beat(play_id: str, play: Play, kind: str, at: int) -> Beat:
    return Beat(
        id=f"{play_id}-{at}",
        track_id=play.track_id,
        kind=kind,
        at=at,
        play_id=play_id,
        position_ms=at - started_ms(play),
        device_id=DEVICE,
    )


def in_time_order(plays: Iterable[tuple[str, Play]]) -> Iterator[Beat]:
    """Give the heartbeats of many plays in the order of their instants."""
    waiting = sorted(plays, key=lambda one: started_ms(one[1]), reverse=True)
    sounding: list[tuple[int, int, Beat, Iterator[Beat]]] = []
    while waiting or sounding:
        while waiting and (not sounding or started_ms(waiting[-1][1]) <= sounding[0][0]):
            beats = beats_of(*waiting.pop())
            first = next(beats)
            heapq.heappush(sounding, (first.at, len(waiting), first, beats))
        _, tie, beat, beats = sounding[0]
        yield beat
        following = next(beats, None)
        if following is None:
            heapq.heappop(sounding)
        else:
            heapq.heapreplace(sounding, (following.at, tie, following, beats))
