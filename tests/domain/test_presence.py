"""What is announced is what the fold knows: whoever reads the announcements sees no less."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.heartbeats import Heartbeat, Kind
from domain.ports import ERASED_AT, Announcement, NowPlaying
from domain.presence import REFRESH_MS
from domain.units import PRESENCE_MS, SECOND_MS
from tests.domain.folding import Folding
from tests.strategies import LISTENERS, MOSTLY_BEATS, heartbeats

START = 1_795_000_000_000

Board = dict[str, Announcement]


def announce(board: Board, announcements: list[Announcement]) -> None:
    for each in announcements:
        stands = board.get(each.listener_id)
        if stands is None or each.version > stands.version:
            board[each.listener_id] = each


def told(playing: NowPlaying | None) -> tuple[str, bool] | None:
    return (playing.track_id, playing.is_playing) if playing else None


@st.composite
def near(draw: st.DrawFn) -> Heartbeat:
    """Draw a heartbeat within two minutes of the others."""
    return Heartbeat(
        id="h",
        listener_id=draw(st.sampled_from(LISTENERS[:2])),
        track_id=draw(st.sampled_from("ab")),
        kind=draw(st.sampled_from(MOSTLY_BEATS)),
        at=START + draw(st.integers(0, 120)) * SECOND_MS,
    )


@given(st.lists(st.lists(near(), min_size=1, max_size=3)), st.randoms(use_true_random=False))
def test_what_is_announced_is_what_the_fold_shows(
    records: list[list[Heartbeat]], dice: Random
) -> None:
    folding, board, zombies = Folding(), Board(), list[Announcement]()
    for number, record in enumerate(records):
        folding.now_ms = max(folding.now_ms, *(beat.at for beat in record))
        folding.apply(number + 1, record)
        made = folding.fold.announcements(folding.news, folding.now_ms, number)
        zombies += made
        announce(board, [*made, *dice.sample(zombies, len(zombies) // 2)])
        shown = folding.fold.now_playing(LISTENERS, folding.now_ms)
        for name, playing in zip(LISTENERS, shown, strict=True):
            stands = board.get(name)
            if stands and folding.now_ms - stands.at <= PRESENCE_MS:
                assert told(stands.playing) == told(playing)
            else:
                assert playing is None or (stands and playing.at - stands.at < REFRESH_MS)


@given(heartbeats())
def test_everybody_active_is_everybody_shown(beats: list[Heartbeat]) -> None:
    folding = Folding()
    folding.apply(1, beats)
    now_ms = max([beat.at for beat in beats], default=0)

    active = folding.fold.active(now_ms)

    shown = folding.fold.now_playing(LISTENERS, now_ms)
    assert {name for name, playing in zip(LISTENERS, shown, strict=True) if playing} <= set(active)
    assert folding.fold.announcements(active, now_ms, 1) == [
        each for each in folding.fold.announcements(active, 0, 1) if now_ms - each.at <= PRESENCE_MS
    ]


def test_who_is_not_in_memory_is_not_announced() -> None:
    assert Folding().fold.announcements(["ann"], START, 1) == []


def test_the_erased_are_announced_above_everything() -> None:
    folding = Folding()
    beat = Heartbeat(id="h", listener_id="ann", track_id="t", kind=Kind.BEAT, at=1_000)
    folding.apply(1, [beat])
    folding.apply(2, [Heartbeat(id="e", listener_id="ann", track_id="", kind=Kind.ERASE, at=0)])
    folding.apply(3, [beat])

    (announcement,) = folding.fold.announcements(["ann"], 1_000, 3)

    assert (announcement.at, announcement.playing) == (ERASED_AT, None)
    assert folding.fold.active(10 * PRESENCE_MS) == ["ann"]
