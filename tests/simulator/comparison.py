"""The store held against the oracle: what it must have at least, and what it may have at most."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from domain import recount
from domain.heartbeats import Heartbeat, Kind
from domain.recount import PlayCount, PlayOf
from domain.rows import Play
from domain.units import DAY_MS, QUARTER_MS, WEEK_MS
from stores.listening import Listening

MOST_PLAYS = 1_000


class Wrong(AssertionError):
    """Raised when the store is not what the log says."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Heartbeats in the order of the log: those that rows must hold, that play counts must, and all."""

    least: Sequence[Heartbeat]
    counted: Sequence[Heartbeat]
    most: Sequence[Heartbeat]


async def compare(listening: Listening, bounds: Bounds, now_ms: int) -> None:
    """Compare every listener's rows and every track's plays.

    Raises
    ------
    Wrong
        A number is not between what it must be and what it may be.
    """
    least, most = by_listener(bounds.least), by_listener(bounds.most)
    for name, said in most.items():
        quarters = await _quarters(listening, name, said, now_ms)
        plays = await listening.plays_before(name, None, MOST_PLAYS)
        if is_erased(said):
            if is_erased(least[name]) and (quarters or plays):
                raise Wrong(f"{name} was erased, and has {quarters} and {plays}")
        else:
            _check_quarters(name, quarters, recount.quarters(least[name]), recount.quarters(said))
            _check_plays(name, plays, recount.plays(least[name]), recount.plays(said))
    await _check_tracks(listening, bounds)


def by_listener(beats: Iterable[Heartbeat]) -> Mapping[str, list[Heartbeat]]:
    """Sort heartbeats by who they are of."""
    found: dict[str, list[Heartbeat]] = defaultdict(list)
    for beat in beats:
        found[beat.listener_id].append(beat)
    return found


def is_erased(beats: Iterable[Heartbeat]) -> bool:
    """Whether a listener's heartbeats end with being erased."""
    return any(beat.kind is Kind.ERASE for beat in beats)


async def _quarters(
    listening: Listening, name: str, said: Sequence[Heartbeat], now_ms: int
) -> dict[int, int]:
    marks = [beat.at for beat in said if beat.kind is not Kind.ERASE]
    if not marks:
        return {}
    first, last = (min(marks) - WEEK_MS) // QUARTER_MS, (max(marks) + WEEK_MS) // QUARTER_MS
    return (await listening.quarters(name, first, last, now_ms=now_ms)).mapping()


def _check_quarters(
    name: str, stored: Mapping[int, int], least: Mapping[int, int], most: Mapping[int, int]
) -> None:
    for quarter in sorted(stored.keys() | least.keys()):
        low, high, is_ms = least.get(quarter, 0), most.get(quarter, 0), stored.get(quarter, 0)
        if not low <= is_ms <= high or (quarter in stored and not high):
            raise Wrong(f"{name}, quarter {quarter}: {is_ms} ms is not from {low} to {high}")


def _check_plays(
    name: str,
    stored: Sequence[Play],
    least: Mapping[PlayOf, PlayCount],
    most: Mapping[PlayOf, PlayCount],
) -> None:
    found = {_play_of(play): play for play in stored}
    if len(found) != len(stored) or not least.keys() <= found.keys() <= most.keys():
        raise Wrong(f"{name}: plays {sorted(found)} are not {sorted(least)} to {sorted(most)}")
    for key, play in found.items():
        low = least[key].ms_played if key in least else 0
        if not low <= play.ms_played <= most[key].ms_played:
            raise Wrong(f"{name}: {play} is not {least.get(key)} to {most[key]}")
        if least.get(key) == most[key] != _count_of(play):
            raise Wrong(f"{name}: {play} is not {most[key]}")


def _play_of(play: Play) -> PlayOf:
    day = None if play.play_id else play.played_at_ms // DAY_MS
    return PlayOf(play.track_id, play.play_id, day)


def _count_of(play: Play) -> PlayCount:
    return PlayCount(
        ms_played=play.ms_played,
        first_ms=play.played_at_ms,
        last_ms=play.ended_at_ms,
        counted=play.counted,
        context=play.context,
        device_id=play.device_id,
    )


async def _check_tracks(listening: Listening, bounds: Bounds) -> None:
    tracks = sorted({beat.track_id for beat in bounds.most})
    erased = {beat.listener_id for beat in bounds.most if beat.kind is Kind.ERASE}
    fewest = tracks_of(beat for beat in bounds.counted if beat.listener_id not in erased)
    most = tracks_of(bounds.most)
    for track, count in zip(tracks, await listening.track_plays(tracks), strict=True):
        if not fewest[track] <= count <= most[track]:
            raise Wrong(f"{track}: {count} plays are not {fewest[track]} to {most[track]}")


def tracks_of(beats: Iterable[Heartbeat]) -> Counter[str]:
    """Count the plays of each track; nothing counts that comes after its listener was erased."""
    counts: Counter[str] = Counter()
    for said in by_listener(beats).values():
        end = next((i for i, beat in enumerate(said) if beat.kind is Kind.ERASE), len(said))
        plays = recount.plays(said[:end])
        counts.update(play.track_id for play, count in plays.items() if count.counted)
    return counts
