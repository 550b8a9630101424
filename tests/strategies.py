"""What Hypothesis draws: histories of heartbeats in event order, then as a network delivers them."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from domain.calendar import Zone, zone_names
from domain.heartbeats import KINDS, Heartbeat, Kind
from domain.units import DAY_MS, HOUR_MS, JOIN_MS, MINUTE_MS, QUARTER_MS, SECOND_MS

# Instants with an edge on them: histories gather around these, so that they meet each other there.
EDGES = {
    "week": 1_794_787_200_000,  # Monday 2026-11-16T00:00Z
    "day": 1_794_873_600_000,
    "hour": 1_794_873_600_000 + 10 * HOUR_MS,
    "quarter": 1_794_873_600_000 + 10 * HOUR_MS + QUARTER_MS,
    "middle": 1_794_873_600_000 + 10 * HOUR_MS + 7 * MINUTE_MS,
    "end of summer time": 1_792_890_000_000,  # 2026-10-25T01:00Z, a Sunday
    "week 53": 1_799_020_800_000,  # Monday 2027-01-04T00:00Z
}
GAPS_MS = (
    0,
    1,
    SECOND_MS,
    29_999,
    30_000,
    30_001,
    JOIN_MS - 1,
    JOIN_MS,
    JOIN_MS + 1,
    5 * MINUTE_MS,
)
LISTENERS = ("ann", "bob", "01890a5d-ac96-774b-bcce-b302099a8057", "~" * 40)
TRACKS = ("1", "track-2", "t\u00e4\u2603\U0001f3b5")
PLAYS = ("", "p1", "p2")
DEVICES = ("", "phone", "car")
CONTEXTS = ("", "album:1", "playlist:\u00e9t\u00e9")
MOSTLY_BEATS = (*(Kind.BEAT,) * 4, *KINDS.values())  # every kind that a client sends


class Step(NamedTuple):
    """From one heartbeat of a play to the next."""

    kind: Kind
    gap_ms: int
    new_stretch: bool


def instants() -> st.SearchStrategy[int]:
    """Draw an instant at, just beside or about an hour around an edge."""
    offsets = st.sampled_from((0, 1, SECOND_MS, 30_000, JOIN_MS)) | st.integers(0, HOUR_MS)
    signs = st.sampled_from((-1, 1))
    edges = st.sampled_from(sorted(EDGES.values()))
    return st.builds(lambda edge, sign, offset: edge + sign * offset, edges, signs, offsets)


def gaps() -> st.SearchStrategy[int]:
    """Draw the time between two heartbeats of a play, in ms."""
    return st.sampled_from(GAPS_MS) | st.integers(0, JOIN_MS + 5 * SECOND_MS)


def steps() -> st.SearchStrategy[list[Step]]:
    """Draw what follows the first heartbeat of a play."""
    rarely = st.sampled_from((False, False, False, True))
    return st.lists(st.builds(Step, st.sampled_from(MOSTLY_BEATS), gaps(), rarely), max_size=8)


@st.composite
def play_histories(draw: st.DrawFn, listeners: Sequence[str] = LISTENERS) -> list[Heartbeat]:
    """Draw one play's heartbeats in the order of events; their ids are not unique yet."""
    listener, track = draw(st.sampled_from(listeners)), draw(st.sampled_from(TRACKS))
    play, device = draw(st.sampled_from(PLAYS)), draw(st.sampled_from(DEVICES))
    context = draw(st.sampled_from(CONTEXTS))
    at, stretch, position = draw(instants()), draw(st.integers(0, 2)), draw(st.integers(-1, 5_000))
    beats = []
    for step in [Step(draw(st.sampled_from(MOSTLY_BEATS)), 0, False), *draw(steps())]:
        at, stretch = at + step.gap_ms, stretch + step.new_stretch
        beats.append(
            Heartbeat(
                id="",
                listener_id=listener,
                track_id=track,
                play_id=play,
                stretch=stretch,
                kind=step.kind,
                at=at,
                position_ms=position,
                device_id=device,
                context=context,
            )
        )
    return beats


@st.composite
def histories(draw: st.DrawFn, listeners: Sequence[str] = LISTENERS) -> list[Heartbeat]:
    """Draw what listeners did, in the order of events, every heartbeat with its own id.

    Plays of one listener overlap, share tracks and play_ids, and meet in the same lanes.
    """
    drawn = draw(st.lists(play_histories(listeners), max_size=6))
    ordered = sorted((beat for play in drawn for beat in play), key=lambda beat: beat.at)
    return [renamed(beat, f"h-{number}") for number, beat in enumerate(ordered)]


@st.composite
def deliveries(draw: st.DrawFn, history: Sequence[Heartbeat]) -> list[Heartbeat]:
    """Draw how *history* may arrive: in any order, each heartbeat at least once."""
    again = draw(st.lists(st.sampled_from(history), max_size=6)) if history else []
    return draw(st.permutations([*history, *again]))


def heartbeats(listeners: Sequence[str] = LISTENERS) -> st.SearchStrategy[list[Heartbeat]]:
    """Draw the heartbeats of several listeners as they arrive: shuffled, and some repeated."""
    return histories(listeners).flatmap(deliveries)


def heartbeats_of_one(listener: str = LISTENERS[0]) -> st.SearchStrategy[list[Heartbeat]]:
    """Draw the heartbeats of one listener as they arrive."""
    return heartbeats((listener,))


@st.composite
def batches(draw: st.DrawFn, beats: Sequence[Heartbeat]) -> list[list[Heartbeat]]:
    """Draw a way to cut *beats* into batches; some of them are empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(beats)), max_size=5)))
    bounds = zip([0, *cuts], [*cuts, len(beats)], strict=True)
    return [list(beats[begin:end]) for begin, end in bounds]


def renamed(beat: Heartbeat, new_id: str) -> Heartbeat:
    """Give a heartbeat another id."""
    fields = {name: getattr(beat, name) for name in Heartbeat.__struct_fields__}
    return Heartbeat(**{**fields, "id": new_id})


def zone_changes(names: Sequence[str] = ()) -> st.SearchStrategy[tuple[Zone, ...]]:
    """Draw a listener's zones: one from the beginning, and up to three changes around the edges."""
    name = st.sampled_from(sorted(names or zone_names()))
    about = st.sampled_from(sorted(EDGES.values())), st.integers(-8 * DAY_MS, 8 * DAY_MS)
    since = st.builds(lambda edge, off: (edge + off) // QUARTER_MS * QUARTER_MS, *about)
    changes = st.lists(st.tuples(since, name), max_size=3, unique_by=lambda change: change[0])
    return st.builds(
        lambda first, later: (Zone(0, first), *(Zone(*change) for change in sorted(later))),
        name,
        changes,
    )
