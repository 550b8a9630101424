from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.ports import NowPlaying, PresenceChange
from domain.units import PRESENCE_MS
from domain.watched import Watched

PLAYING = NowPlaying("t1", 1_000, 5, is_playing=True, device_id="car", context="album:1")


def test_nothing_is_told_of_those_of_whom_nothing_is_known() -> None:
    watched = Watched(["ann", "eve", "ann"])

    assert watched.listener_ids == ["ann", "eve"]
    assert watched.take() == []


def test_a_change_is_told_once() -> None:
    watched = Watched(["ann"])
    watched.know("ann", PLAYING)

    assert watched.take() == [PresenceChange("ann", PLAYING)]
    assert watched.take() == []


def test_a_heartbeat_that_goes_on_is_no_change() -> None:
    watched = Watched(["ann"])
    watched.know("ann", PLAYING)
    watched.take()
    watched.know("ann", replace(PLAYING, at=31_000, position_ms=30_005))

    assert watched.take() == []


def test_a_listener_expires_a_minute_after_the_newest_heartbeat() -> None:
    watched = Watched(["ann"])
    watched.know("ann", PLAYING)
    watched.take()
    watched.know("ann", replace(PLAYING, at=2_000))

    watched.expire(2_000 + PRESENCE_MS)
    there = watched.take()
    watched.expire(2_000 + PRESENCE_MS + 1)

    assert there == []
    assert watched.take() == [PresenceChange("ann", None)]


STATES = st.none() | st.builds(
    replace, st.just(PLAYING), track_id=st.sampled_from("ab"), is_playing=st.booleans()
)


@given(st.lists(st.tuples(st.sampled_from(["ann", "eve"]), STATES, st.booleans())))
def test_whoever_takes_now_and_then_knows_what_is_known(
    steps: list[tuple[str, NowPlaying | None, bool]],
) -> None:
    watched, known = Watched(["ann", "eve"]), dict[str, NowPlaying | None]()
    seen = dict[str, NowPlaying | None]()
    for name, playing, takes in [*steps, ("ann", None, True)]:
        watched.know(name, playing)
        known[name] = playing
        if takes:
            changes = watched.take()
            assert all(seen.get(each.listener_id) != each.playing for each in changes)
            seen |= {each.listener_id: each.playing for each in changes}

    assert {**dict.fromkeys(known), **seen} == known
