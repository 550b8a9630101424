"""A few listeners who are chosen to collide: devices at once, equal lanes, edges of hours and weeks."""

from domain.heartbeats import KINDS, Heartbeat, Kind
from domain.units import DAY_MS, HOUR_MS, JOIN_MS, MINUTE_MS, QUARTER_MS, SECOND_MS, WEEK_MS
from tests.simulator.world import Fault, World

NAMES = ("ann", "bob", "cy", "dee")
TRACKS = ("t1", "t2", "t3")
PLAYS = ("", "p1", "p2", "p3")
DEVICES = ("", "phone", "car")
CONTEXTS = ("", "album:1", "playlist:2")
MOSTLY_BEATS = (*(Kind.BEAT,) * 4, *KINDS.values())
GAPS_MS = (0, 1, SECOND_MS, 29_999, 30_000, 30_000, 30_000, 30_001, 59_999, JOIN_MS, JOIN_MS + 1)
GRIDS_MS = (QUARTER_MS, HOUR_MS, DAY_MS, WEEK_MS)
OFFSETS_MS = (0, 1, SECOND_MS, 29_999, 30_000, 45_000, JOIN_MS)
LATE_LIMIT_DAYS = 30
MOST_WAITING = 30


class Listeners:
    """What is still to be posted; each heartbeat is made shortly before it may go out."""

    def __init__(self, world: World) -> None:
        self._world, self._dice = world, world.dice
        self._names = NAMES[: world.dice.randint(2, len(NAMES))]
        self._waiting: list[Heartbeat] = []
        self._played: list[Heartbeat] = []
        self._made = 0

    def name(self) -> str:
        """Choose a listener."""
        return self._dice.choice(self._names)

    def post(self) -> list[Heartbeat]:
        """Tell the heartbeats of the next request, in any order; some of them were sent before."""
        if len(self._waiting) < MOST_WAITING:
            self._press_play()
        chosen = [self._waiting.pop(self._place()) for _ in range(self._size())]
        for beat in chosen:
            if beat.at < self._world.now_ms() - HOUR_MS:
                self._world.happened(Fault.LATE_BEAT)
            if self._dice.random() < 0.15:
                self._waiting.append(beat)
                self._world.happened(Fault.REPEATED)
        return chosen

    def rest(self) -> list[Heartbeat]:
        """Tell what nobody has posted yet."""
        rest, self._waiting = self._waiting, []
        return rest

    def _size(self) -> int:
        return self._dice.randint(1, min(6, len(self._waiting)))

    def _place(self) -> int:
        """Mostly in order, so that lanes grow; sometimes not."""
        if self._dice.random() < 0.7:
            return 0
        return self._dice.randrange(len(self._waiting))

    def _press_play(self) -> None:
        first = self._first()
        beats, at, stretch = [first], first.at, first.stretch
        for _ in range(self._dice.randint(0, 8)):
            at += self._dice.choice(GAPS_MS)
            stretch += self._dice.random() < 0.1
            kind = self._dice.choice(MOSTLY_BEATS)
            beats.append(self._beat(like=first, kind=kind, at=at, stretch=stretch))
        self._played += beats
        self._waiting += beats

    def _first(self) -> Heartbeat:
        if self._played and self._dice.random() < 0.4:
            # near one that was played already: the same lane, or another device
            near = self._dice.choice(self._played[-20:])
            at = max(0, near.at + self._sign() * self._dice.choice(GAPS_MS))
            if self._dice.random() < 0.6:
                return self._beat(like=near, kind=Kind.BEAT, at=at, stretch=near.stretch)
            return self._another(near.listener_id, at)
        return self._another(self.name(), self._instant())

    def _instant(self) -> int:
        """An instant beside an edge: of now, of an earlier hour, or just within the late limit."""
        now_ms, dice = self._world.now_ms(), self._dice
        back_ms = dice.choice((0, 0, 0, HOUR_MS, DAY_MS, WEEK_MS, LATE_LIMIT_DAYS * DAY_MS))
        if back_ms == LATE_LIMIT_DAYS * DAY_MS:
            return now_ms - back_ms + dice.choice((-SECOND_MS, 0, MINUTE_MS, 5 * MINUTE_MS))
        if dice.random() < 0.4:
            return now_ms - back_ms - dice.choice((0, SECOND_MS, MINUTE_MS, 5 * MINUTE_MS))
        grid_ms = dice.choice(GRIDS_MS)
        shift_ms = 3 * DAY_MS if grid_ms == WEEK_MS else 0  # weeks begin on Monday
        edge = (now_ms + MINUTE_MS + shift_ms) // grid_ms * grid_ms - shift_ms
        return edge - back_ms + self._sign() * dice.choice(OFFSETS_MS)

    def _sign(self) -> int:
        return self._dice.choice((-1, 1))

    def _another(self, listener: str, at: int) -> Heartbeat:
        dice = self._dice
        self._made += 1
        return Heartbeat(
            id=f"h{self._made}",
            listener_id=listener,
            track_id=dice.choice(TRACKS),
            play_id=dice.choice(PLAYS),
            stretch=dice.randint(0, 1),
            kind=dice.choice(MOSTLY_BEATS),
            at=at,
            device_id=dice.choice(DEVICES),
            context=dice.choice(CONTEXTS),
        )

    def _beat(self, *, like: Heartbeat, kind: Kind, at: int, stretch: int) -> Heartbeat:
        self._made += 1
        return Heartbeat(
            id=f"h{self._made}",
            listener_id=like.listener_id,
            track_id=like.track_id,
            play_id=like.play_id,
            stretch=stretch,
            kind=kind,
            at=at,
            device_id=like.device_id,
            context=like.context,
        )
