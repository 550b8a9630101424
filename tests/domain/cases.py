"""What users of other systems were counted wrongly for, with the answers worked out by hand.

One table for everything that counts: the oracle and the fold are both held to it.
"""

from dataclasses import dataclass, field
from datetime import datetime

from domain.calendar import Zone
from domain.heartbeats import Heartbeat, Kind
from domain.recount import PlayOf
from domain.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

LISTENER = "ann"
UTC = (Zone(0, "UTC"),)


@dataclass(frozen=True)
class Case:
    """Heartbeats of one listener, and what they must come to.

    ``days`` has the ms of each local day on which anything was listened, ``plays`` the ms of every
    play, ``hours`` (where it matters) the ms of each local hour of those days, and ``weeks`` (where
    it matters) those of each local week.
    """

    name: str
    heartbeats: tuple[Heartbeat, ...]
    days: dict[str, int]
    plays: dict[PlayOf, int]
    zones: tuple[Zone, ...] = UTC
    hours: dict[tuple[str, int], int] = field(default_factory=dict)
    weeks: dict[str, int] = field(default_factory=dict)


def ms(iso: str) -> int:
    """Tell the instant of an ISO date and time with its offset."""
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def beat(
    at: int,
    kind: Kind = Kind.BEAT,
    *,
    play_id: str = "p1",
    track_id: str = "t1",
    stretch: int = 0,
    position_ms: int = -1,
    device_id: str = "",
) -> Heartbeat:
    """Make one heartbeat; its id follows from what it says."""
    return Heartbeat(
        id=f"{track_id}/{play_id}/{device_id}/{stretch}/{kind.name}/{at}",
        listener_id=LISTENER,
        track_id=track_id,
        play_id=play_id,
        stretch=stretch,
        kind=kind,
        at=at,
        position_ms=position_ms,
        device_id=device_id,
    )


def sounding(
    start: int,
    end: int,
    *,
    play_id: str = "p1",
    track_id: str = "t1",
    stretch: int = 0,
    device_id: str = "",
    last: Kind = Kind.STOP,
) -> tuple[Heartbeat, ...]:
    """Make what a client sends while audio sounds: a start, a beat each 30 s, something last."""

    def at(instant: int, kind: Kind) -> Heartbeat:
        return beat(
            instant,
            kind,
            play_id=play_id,
            track_id=track_id,
            stretch=stretch,
            device_id=device_id,
        )

    between = [at(instant, Kind.BEAT) for instant in range(start + 30_000, end, 30_000)]
    return (at(start, Kind.START), *between, at(end, last))


def play(play_id: str = "p1", track_id: str = "t1", utc_day: int | None = None) -> PlayOf:
    """Name a play."""
    return PlayOf(track_id, play_id, utc_day)


S, M, H = SECOND_MS, MINUTE_MS, HOUR_MS
NOON = ms("2026-11-18T12:00:00+00:00")  # a Wednesday
WEDNESDAY = "2026-11-18"
DAY = NOON // DAY_MS

A_MINUTE = sounding(NOON, NOON + M)
PAUSED = (
    *sounding(NOON, NOON + 8 * S, last=Kind.PAUSE),
    *sounding(NOON + 308 * S, NOON + 313 * S, stretch=1),
)
SOUGHT = (
    *sounding(NOON, NOON + 10 * S, last=Kind.PAUSE),
    beat(NOON + 10 * S, Kind.SEEK, position_ms=10 * M),
    *sounding(NOON + 10 * S, NOON + 20 * S, stretch=1),
)


def _over_midnight(name: str, zone: str, sunday_2358: str) -> Case:
    start = ms(sunday_2358)
    return Case(
        f"sunday-to-monday-{name}",
        sounding(start, start + 5 * M),
        {"2026-11-22": 2 * M, "2026-11-23": 3 * M},
        {play(): 5 * M},
        zones=(Zone(0, zone),),
        hours={("2026-11-22", 23): 2 * M, ("2026-11-23", 0): 3 * M},
        weeks={"2026-W47": 2 * M, "2026-W48": 3 * M},
    )


def _all_day(name: str, zone: str, first: str, last: str, odd_hours: dict[int, int]) -> Case:
    """Listen from midnight to midnight: every hour is full but *odd_hours* (hour to ms)."""
    start, end, date = ms(first), ms(last), first[:10]
    full = {(date, hour): H for hour in range(24)}
    changed = {(date, hour): odd for hour, odd in odd_hours.items()}
    hours = {hour: listened for hour, listened in {**full, **changed}.items() if listened}
    return Case(
        f"a-whole-day-{name}",
        sounding(start, end),
        {date: sum(hours.values())},
        {play(): end - start},
        zones=(Zone(0, zone),),
        hours=hours,
    )


PAUSES = [
    Case("a-pause-is-not-listening", PAUSED, {WEDNESDAY: 13 * S}, {play(): 13 * S}),
    Case(
        "a-pause-without-stretches-is-not-listening",
        (*sounding(NOON, NOON + 8 * S), *sounding(NOON + 308 * S, NOON + 313 * S)),
        {WEDNESDAY: 13 * S},
        {play(): 13 * S},
    ),
    Case(
        "a-short-pause-is-told-by-the-stretch",
        (*sounding(NOON, NOON + 8 * S), *sounding(NOON + 28 * S, NOON + 33 * S, stretch=1)),
        {WEDNESDAY: 13 * S},
        {play(): 13 * S},
    ),
    Case(
        "a-short-pause-that-nobody-told-is-listening",
        (beat(NOON, Kind.START), beat(NOON + 28 * S)),
        {WEDNESDAY: 28 * S},
        {play(): 28 * S},
    ),
    Case(
        "a-pause-does-not-make-two-plays",
        (*sounding(NOON, NOON + 20 * S), *sounding(NOON + H, NOON + H + 20 * S, stretch=1)),
        {WEDNESDAY: 40 * S},
        {play(): 40 * S},
    ),
]

SEEKS = [
    Case("a-seek-adds-nothing", SOUGHT, {WEDNESDAY: 20 * S}, {play(): 20 * S}),
    Case(
        "a-seek-does-not-take-away-either",
        (
            beat(NOON, Kind.START),
            beat(NOON + 10 * S, Kind.SEEK, position_ms=30 * M),
            beat(NOON + 30 * S, position_ms=30 * M + 20 * S),
        ),
        {WEDNESDAY: 30 * S},
        {play(): 30 * S},
    ),
    Case(
        "a-seek-does-not-bridge-a-gap",
        (beat(NOON), beat(NOON + 40 * S, Kind.SEEK), beat(NOON + 80 * S)),
        {},
        {play(): 0},
    ),
    Case(
        "seeks-and-skips-alone-are-nothing",
        tuple(beat(NOON + n * S, kind) for n, kind in enumerate((Kind.SEEK, Kind.SKIP, Kind.SEEK))),
        {},
        {},
    ),
    Case(
        "a-minute-at-one-and-a-half-is-a-minute",
        tuple(beat(NOON + n * 30 * S, position_ms=n * 45 * S) for n in range(3)),
        {WEDNESDAY: M},
        {play(): M},
    ),
]

DELIVERIES = [
    Case("the-same-three-times", A_MINUTE * 3, {WEDNESDAY: M}, {play(): M}),
    Case("backwards", A_MINUTE[::-1], {WEDNESDAY: M}, {play(): M}),
    Case(
        "the-middle-comes-last-and-joins",
        (beat(NOON), beat(NOON + 90 * S), beat(NOON + 45 * S)),
        {WEDNESDAY: 90 * S},
        {play(): 90 * S},
    ),
    Case(
        "the-request-is-sent-again-with-one-more",
        (*A_MINUTE, *A_MINUTE, beat(NOON + 90 * S)),
        {WEDNESDAY: 90 * S},
        {play(): 90 * S},
    ),
    Case(
        "offline-plays-land-on-their-day",
        (*A_MINUTE, *sounding(NOON - 3 * DAY_MS, NOON - 3 * DAY_MS + 2 * M, play_id="offline")),
        {"2026-11-15": 2 * M, WEDNESDAY: M},
        {play(): M, play("offline"): 2 * M},
        weeks={"2026-W46": 2 * M, "2026-W47": M},
    ),
]

DEVICES = [
    Case(
        "two-devices-at-once-count-once",
        (
            *sounding(NOON, NOON + 2 * M, play_id="phone", device_id="phone"),
            *sounding(NOON + M, NOON + 4 * M, play_id="car", track_id="t2", device_id="car"),
        ),
        {WEDNESDAY: 4 * M},
        {play("phone"): 2 * M, play("car", "t2"): 3 * M},
    ),
    Case(
        "two-paths-for-one-play-are-one-play",
        (
            *sounding(NOON, NOON + 2 * M, device_id="phone"),
            *sounding(NOON, NOON + 2 * M, device_id="bridge"),
        ),
        {WEDNESDAY: 2 * M},
        {play(): 2 * M},
    ),
    Case(
        "two-devices-do-not-join-each-other",
        (
            beat(NOON, play_id="phone"),
            beat(NOON + 40 * S, play_id="car"),
            beat(NOON + 80 * S, play_id="phone"),
        ),
        {},
        {play("phone"): 0, play("car"): 0},
    ),
]

PLAYS = [
    Case(
        "the-same-song-five-times-is-five-plays",
        tuple(
            one
            for n in range(5)
            for one in sounding(NOON + n * M, NOON + n * M + 30 * S, play_id=f"p{n}")
        ),
        {WEDNESDAY: 150 * S},
        {play(f"p{n}"): 30 * S for n in range(5)},
    ),
    Case(
        "without-play-ids-it-is-the-track-on-that-day",
        (
            *sounding(NOON, NOON + 30 * S, play_id=""),
            *sounding(NOON + H, NOON + H + 30 * S, play_id=""),
        ),
        {WEDNESDAY: 60 * S},
        {play("", utc_day=DAY): 60 * S},
    ),
    Case(
        "without-a-play-id-midnight-in-utc-begins-another-play",
        sounding(NOON + 12 * H - M, NOON + 12 * H + 30 * S, play_id=""),
        {WEDNESDAY: M, "2026-11-19": 30 * S},
        {play("", utc_day=DAY): M, play("", utc_day=DAY + 1): 30 * S},
    ),
    Case(
        "below-thirty-seconds-is-no-play",
        sounding(NOON, NOON + 30 * S - 1),
        {WEDNESDAY: 30 * S - 1},
        {play(): 30 * S - 1},
    ),
    Case("now-playing-is-no-play", (beat(NOON, Kind.START),), {}, {play(): 0}),
    Case(
        "a-skipped-song-is-no-play",
        (
            *sounding(NOON, NOON + 5 * S, last=Kind.PAUSE),
            beat(NOON + 5 * S, Kind.SKIP),
            *sounding(NOON + 5 * S, NOON + M, play_id="p2", track_id="t2"),
        ),
        {WEDNESDAY: M},
        {play(): 5 * S, play("p2", "t2"): 55 * S},
    ),
    Case("nothing-is-nothing", (), {}, {}),
]

GAPS = [
    Case(
        f"neighbours-{gap}-ms-apart",
        (beat(NOON, Kind.START), beat(NOON + gap)),
        {WEDNESDAY: listened} if listened else {},
        {play(): listened},
    )
    for gap, listened in [(59_999, 59_999), (60_000, 60_000), (60_001, 0)]
]

MIDNIGHTS = [
    _over_midnight("in-utc", "UTC", "2026-11-22T23:58:00+00:00"),
    _over_midnight("in-berlin", "Europe/Berlin", "2026-11-22T23:58:00+01:00"),
    _over_midnight("in-new-york", "America/New_York", "2026-11-22T23:58:00-05:00"),
    _over_midnight("in-kolkata", "Asia/Kolkata", "2026-11-22T23:58:00+05:30"),
    _over_midnight("in-kathmandu", "Asia/Kathmandu", "2026-11-22T23:58:00+05:45"),
    _over_midnight("in-adelaide", "Australia/Adelaide", "2026-11-22T23:58:00+10:30"),
    _over_midnight("in-kiritimati", "Pacific/Kiritimati", "2026-11-22T23:58:00+14:00"),
    Case(
        "new-years-eve-stays-in-its-year",
        sounding(ms("2026-12-31T23:50:00-05:00"), ms("2027-01-01T00:05:00-05:00")),
        {"2026-12-31": 10 * M, "2027-01-01": 5 * M},
        {play(): 15 * M},
        zones=(Zone(0, "America/New_York"),),
        weeks={"2026-W53": 15 * M},
    ),
]

SUMMER_TIMES = [
    _all_day(
        "of-23-hours",
        "Europe/Berlin",
        "2026-03-29T00:00:00+01:00",
        "2026-03-30T00:00:00+02:00",
        {2: 0},
    ),
    _all_day(
        "of-25-hours",
        "Europe/Berlin",
        "2026-10-25T00:00:00+02:00",
        "2026-10-26T00:00:00+01:00",
        {2: 2 * H},
    ),
    _all_day(
        "of-23-and-a-half-hours",
        "Australia/Lord_Howe",
        "2026-10-04T00:00:00+10:30",
        "2026-10-05T00:00:00+11:00",
        {2: H // 2},
    ),
    _all_day(
        "of-24-and-a-half-hours",
        "Australia/Lord_Howe",
        "2026-04-05T00:00:00+11:00",
        "2026-04-06T00:00:00+10:30",
        {1: H + H // 2},
    ),
]

TRAVELS = [
    Case(
        "a-zone-changed-on-wednesday-leaves-tuesday-alone",
        (
            *sounding(ms("2026-11-17T23:50:00+01:00"), ms("2026-11-18T00:10:00+01:00")),
            *sounding(
                ms("2026-11-18T23:50:00+09:00"), ms("2026-11-19T00:10:00+09:00"), play_id="p2"
            ),
        ),
        {"2026-11-17": 10 * M, "2026-11-18": 20 * M, "2026-11-19": 10 * M},
        {play(): 20 * M, play("p2"): 20 * M},
        zones=(
            Zone(0, "Europe/Berlin"),
            Zone(ms("2026-11-18T10:15:00+00:00"), "Asia/Tokyo"),
        ),
        weeks={"2026-W47": 40 * M},
    ),
    Case(
        "a-zone-changed-while-listening-cuts-there",
        # 12:00 to 12:30 UTC: a quarter-hour at 13:00 in Berlin, then one at 21:15 in Tokyo.
        sounding(NOON, NOON + 30 * M),
        {WEDNESDAY: 30 * M},
        {play(): 30 * M},
        zones=(Zone(0, "Europe/Berlin"), Zone(NOON + 15 * M, "Asia/Tokyo")),
        hours={(WEDNESDAY, 13): 15 * M, (WEDNESDAY, 21): 15 * M},
    ),
    Case(
        "flying-back-over-midnight-gives-sunday-again",
        # On Kiritimati it is Monday 00:10 already when the listener says that it is Honolulu.
        sounding(ms("2026-11-23T00:00:00+14:00"), ms("2026-11-23T00:30:00+14:00")),
        {"2026-11-22": 15 * M, "2026-11-23": 15 * M},
        {play(): 30 * M},
        zones=(
            Zone(0, "Pacific/Kiritimati"),
            Zone(ms("2026-11-23T00:15:00+14:00"), "Pacific/Honolulu"),
        ),
        hours={("2026-11-23", 0): 15 * M, ("2026-11-22", 0): 15 * M},
        weeks={"2026-W47": 15 * M, "2026-W48": 15 * M},
    ),
]

CASES = [
    *PAUSES,
    *SEEKS,
    *DELIVERIES,
    *DEVICES,
    *PLAYS,
    *GAPS,
    *MIDNIGHTS,
    *SUMMER_TIMES,
    *TRAVELS,
]
