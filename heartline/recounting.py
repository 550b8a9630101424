"""Everything counted again from the log, by the oracle, and compared with the rows of the store.

With C the committed offset and E the end of the log, the store may hold anything between what the
records up to C give and what those up to E give: shards write when they like. Both counts are made,
and each number of the store must lie between them; where C is E they are one.

Rows are read before the log is read to its end once more, so that E is never too small.
"""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from domain.calendar import IsoWeek, week_layout
from domain.errors import UnreadableRecord
from domain.hashing import lane_key, play_key
from domain.ports import Key
from domain.quarters import Quarters
from domain.recount import PlayCount, PlayOf
from domain.rows import Play, play_of, signed
from domain.units import DAY_MS, QUARTER_MS
from heartline.differences import Difference, beyond, of_play
from heartline.heard import Heard
from heartline.recount_bounds import ALWAYS, Bounds
from heartline.recounted import Tallied
from heartline.repairing import Repair
from serve.instants import iso
from serve.listening import UTC_ALWAYS
from stores.accounts import Accounts

PLAYS_READ = 500
WEEK_QUARTERS = 7 * 96
DAMAGED = "rows that can be read (--repair makes them anew)"

K = TypeVar("K")


class Rows(Protocol):
    """What is read of `stores.listening.Listening`."""

    async def are_erased(self, listener_ids: list[str]) -> list[bool]:
        """Tell which listeners were erased."""
        ...

    async def quarters(self, listener_id: str, first: int, last: int, *, now_ms: int) -> Quarters:
        """Read the quarter-hours first to last, inclusive."""
        ...

    async def plays_before(
        self, listener_id: str, before: tuple[int, int] | None, limit: int
    ) -> list[Play]:
        """Read plays, newest first."""
        ...

    async def plays(self, keys: Sequence[Key]) -> list[bytes | None]:
        """Read play rows by (listener id, key as stores keep it)."""
        ...

    async def track_plays(self, track_ids: list[str]) -> list[int]:
        """Read how often each track was played."""
        ...


class Buckets(Protocol):
    """Where heartbeats are counted again from, a bucket of listeners after the other."""

    @property
    def numbers(self) -> Iterable[int]:
        """The buckets there are."""
        ...

    @property
    def tracks(self) -> Collection[str]:
        """The tracks that were heard."""
        ...

    async def advance(self) -> None:
        """Read what was appended to the log since the last time."""
        ...

    def heard(self, bucket: int) -> dict[str, Heard]:
        """Tell what each listener of a bucket said."""
        ...

    def size(self, bucket: int) -> int:
        """Tell how many heartbeats a bucket holds."""
        ...


@dataclass(slots=True)
class TrackCounts:
    """Plays of each track, counted from the committed records and from all of them."""

    least: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)

    def add(self, least: Iterable[PlayOf], most: Iterable[PlayOf]) -> None:
        """Count a listener's plays."""
        for counts, counted in ((self.least, least), (self.most, most)):
            for play in counted:
                counts[play.track_id] = counts.get(play.track_id, 0) + 1


class Recount:
    """One recount on its way."""

    def __init__(
        self,
        buckets: Buckets,
        rows: Rows,
        accounts: Accounts,
        *,
        whole: Bounds,
        week: IsoWeek | None,
        plays_since_ms: int,
        now_ms: Callable[[], int],
        repair: Repair | None = None,
    ) -> None:
        self._repair = repair
        self._buckets, self._rows, self._accounts = buckets, rows, accounts
        self._whole, self._week, self._now_ms = whole, week, now_ms
        self._plays_since_ms = plays_since_ms  # plays before that the store need not have any more
        self._tracks = TrackCounts()
        self.tallied = Tallied()

    async def differences(
        self, tell: Callable[[int], None] = lambda _: None
    ) -> AsyncIterator[Difference]:
        """Compare listener by listener, then tracks; *tell* hears of the heartbeats dealt with."""
        tracks = await self._stored_tracks()
        for bucket in self._buckets.numbers:
            before = self._buckets.size(bucket)
            async for difference in self._in_bucket(bucket):
                yield difference
            tell(before)
        for track, stored in tracks.items():
            self.tallied.tracks += 1
            least, most = self._tracks.least.get(track, 0), self._tracks.most.get(track, 0)
            for difference in beyond(track, "plays of the track", stored, least, most):
                yield difference

    async def _in_bucket(self, bucket: int) -> AsyncIterator[Difference]:
        heard, size = self._buckets.heard(bucket), self._buckets.size(bucket)
        stored = await self._all_stored(heard)
        for name in heard.keys() - stored.keys():
            yield Difference(name, DAMAGED, 0, 1, 1)
        gone = await self._gone(list(heard))
        await self._buckets.advance()
        if self._buckets.size(bucket) != size:
            heard = self._buckets.heard(bucket)
        for name, (bounds, of_quarters, of_plays) in stored.items():
            if name in gone or heard[name].erased:
                self.tallied.erased += 1
                self._tracks.add((), _counted(heard[name].most.plays))
                continue
            self.tallied.listeners += 1
            for difference in self._of_listener(name, heard[name], bounds, of_quarters, of_plays):
                yield difference

    async def _all_stored(
        self, heard: Mapping[str, Heard]
    ) -> dict[str, tuple[Bounds, dict[int, int], dict[PlayOf, Play]]]:
        """Read what is stored of listeners; nothing of those of whom a row cannot be read."""
        if self._repair:
            await self._repair.mend(heard)
        stored = {}
        for name, said in heard.items():
            with suppress(UnreadableRecord):
                stored[name] = await self._stored(name, said)
        return stored

    async def _gone(self, names: list[str]) -> set[str]:
        erased = await self._rows.are_erased(names)
        return {name for name, is_erased in zip(names, erased, strict=True) if is_erased}

    async def _stored(
        self, name: str, heard: Heard
    ) -> tuple[Bounds, dict[int, int], dict[PlayOf, Play]]:
        bounds = await self._bounds(name)
        if heard.instants is None:
            return bounds, {}, {}
        first_ms, last_ms = heard.instants
        first = max(first_ms // QUARTER_MS - WEEK_QUARTERS, bounds.first)
        last = min(last_ms // QUARTER_MS + WEEK_QUARTERS, bounds.last)
        if first > last:
            return bounds, {}, {}
        found = await self._rows.quarters(name, first, last, now_ms=self._now_ms())
        of_plays = await self._plays(name, bounds)
        if self._whole.first:
            of_plays |= await self._begun_earlier(name, heard.most.plays.keys() - of_plays.keys())
        return bounds, found.mapping(), of_plays

    async def _bounds(self, name: str) -> Bounds:
        if self._week is None:
            return self._whole
        account = await self._accounts.by_id(name)
        layout = week_layout(account.zones if account else UTC_ALWAYS, self._week)
        return self._whole.within(Bounds(layout.first_quarter, layout.last_quarter))

    async def _plays(self, name: str, bounds: Bounds) -> dict[PlayOf, Play]:
        found: dict[PlayOf, Play] = {}
        mark = None if bounds.last == ALWAYS else ((bounds.last + 1) * QUARTER_MS, 0)
        while page := await self._rows.plays_before(name, mark, PLAYS_READ):
            found |= {_play_of(play): play for play in page if bounds.hold(play.played_at_ms)}
            mark = (page[-1].played_at_ms, page[-1].key)
            if mark[0] < bounds.first * QUARTER_MS:
                break
        return found

    async def _begun_earlier(self, name: str, missing: Iterable[PlayOf]) -> dict[PlayOf, Play]:
        """Read plays of which the log has heartbeats, but maybe not the first ones any more."""
        wanted = {play: signed(play_key(*_lane_and_day(play))) for play in missing}
        states = await self._rows.plays([(name, key) for key in wanted.values()])
        rows = zip(wanted, wanted.values(), states, strict=True)
        stored = {play: play_of(key, state) for play, key, state in rows if state is not None}
        return {play: row for play, row in stored.items() if row is not None}

    def _of_listener(
        self,
        name: str,
        heard: Heard,
        bounds: Bounds,
        of_quarters: Mapping[int, int],
        of_plays: Mapping[PlayOf, Play],
    ) -> Iterable[Difference]:
        least, most = heard.least.quarters, heard.most.quarters
        for quarter in sorted(most.keys() | of_quarters.keys()):
            if bounds.first <= quarter <= bounds.last:
                self.tallied.quarters += 1
                yield from beyond(
                    name,
                    f"quarter-hour from {iso(quarter * QUARTER_MS)}, ms",
                    of_quarters.get(quarter, 0),
                    least.get(quarter, 0),
                    most.get(quarter, 0),
                )
        least_plays, most_plays = heard.least.plays, heard.most.plays
        self._tracks.add(_counted(least_plays), _counted(most_plays))
        for play in most_plays.keys() | of_plays.keys():
            stored, least_play, most_play = (
                of_plays.get(play),
                least_plays.get(play),
                most_plays.get(play),
            )
            if self._is_within(bounds, stored, least_play, most_play):
                self.tallied.plays += 1
                yield from of_play(name, play, stored, least_play, most_play)

    def _is_within(
        self, bounds: Bounds, stored: Play | None, least: PlayCount | None, most: PlayCount | None
    ) -> bool:
        """Whether a play lies inside wherever it begins, which a heartbeat that comes late may move.

        And whether all of it is known: what it has after the last quarter held whole may be cut.
        """
        counts = [count for count in (least, most) if count]
        begins = [count.first_ms for count in counts] + ([stored.played_at_ms] if stored else [])
        ends = [count.last_ms for count in counts] + ([stored.ended_at_ms] if stored else [])
        return all(
            bounds.hold(at_ms) and at_ms >= self._plays_since_ms for at_ms in begins
        ) and all(at_ms // QUARTER_MS <= self._whole.last for at_ms in ends)

    async def _stored_tracks(self) -> dict[str, int]:
        """Read every track's count, where the log holds all plays that it was made of."""
        if self._week is not None or self._whole.first:
            return {}
        names, found = sorted(self._buckets.tracks), dict[str, int]()
        for start in range(0, len(names), PLAYS_READ):
            some = names[start : start + PLAYS_READ]
            found |= zip(some, await self._rows.track_plays(some), strict=True)
        return found


def _counted(found: Mapping[PlayOf, PlayCount]) -> list[PlayOf]:
    return [play for play, count in found.items() if count.counted]


def _lane_and_day(play: PlayOf) -> tuple[int, int]:
    return lane_key(play.track_id, play.play_id), play.utc_day or 0


def _play_of(play: Play) -> PlayOf:
    return PlayOf(
        play.track_id, play.play_id, None if play.play_id else play.played_at_ms // DAY_MS
    )
