"""The fold equals the oracle, however the heartbeats come and wherever it starts from."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import recount
from domain.fold import Fold
from domain.heartbeats import Heartbeat, Kind
from domain.units import DAY_MS, HOUR_MS, MINUTE_MS, PLAY_MS, SECOND_MS
from tests.domain.cases import CASES, Case, beat
from tests.domain.folding import Folding, row_key
from tests.strategies import LISTENERS, batches, heartbeats


def assert_equals_oracle(folding: Folding, beats: Sequence[Heartbeat]) -> None:
    for listener in {each.listener_id for each in beats}:
        own = [each for each in beats if each.listener_id == listener]
        assert folding.quarters(listener) == recount.quarters(own)
        assert folding.quarters_of_hours(listener) == recount.quarters(own)
        expected = {row_key(play): count for play, count in recount.plays(own).items()}
        seen = folding.plays(listener)
        assert {
            key: (p.ms_played, p.played_at_ms, p.ended_at_ms, p.counted, p.context, p.device_id)
            for key, p in seen.items()
        } == {
            key: (c.ms_played, c.first_ms, c.last_ms, c.counted, c.context, c.device_id)
            for key, c in expected.items()
        }
        assert all((play.reached > 0) == play.counted for play in seen.values())


def counted_plays(beats: Sequence[Heartbeat]) -> Counter[str]:
    tracks: Counter[str] = Counter()
    for listener in {each.listener_id for each in beats}:
        own = [each for each in beats if each.listener_id == listener]
        tracks.update(play.track_id for play, count in recount.plays(own).items() if count.counted)
    return tracks


def said(at: int, *, context: str, device_id: str = "") -> Heartbeat:
    return Heartbeat(
        id="h",
        listener_id="ann",
        track_id="t1",
        kind=Kind.BEAT,
        at=at,
        context=context,
        device_id=device_id,
    )


@given(st.data())
def test_any_order_duplication_and_splitting_gives_what_the_oracle_says(
    data: st.DataObject,
) -> None:
    beats = data.draw(heartbeats())
    folding = Folding()
    tracks: Counter[str] = Counter()

    for number, batch in enumerate(data.draw(batches(beats)), 1):
        folding.apply(number, batch)
        if data.draw(st.booleans()):
            folding.flush()
            tracks.update(track for track, _ in folding.counted())
    folding.flush()
    tracks.update(track for track, _ in folding.counted())

    assert_equals_oracle(folding, beats)
    assert tracks == counted_plays(beats)


@given(st.data())
def test_forgetting_what_is_durable_changes_nothing(data: st.DataObject) -> None:
    beats = data.draw(heartbeats())
    folding = Folding()
    tracks: Counter[str] = Counter()

    for number, batch in enumerate(data.draw(batches(beats)), 1):
        folding.apply(number, batch)
        folding.flush()
        tracks.update(track for track, _ in folding.counted())
        folding.fold.sweep(folding.fold.epoch - data.draw(st.integers(0, 2)))

    assert_equals_oracle(folding, beats)
    assert tracks == counted_plays(beats)


@given(st.data())
def test_a_restart_from_any_mixture_of_row_versions_gives_the_same(data: st.DataObject) -> None:
    beats = data.draw(heartbeats())
    log = list(enumerate(data.draw(batches(beats)), 1))
    before = Folding()
    for number, batch in log:
        before.apply(number, batch)
        before.flush()
    committed = data.draw(st.integers(0, len(log)))
    subtotal = data.draw(st.integers(committed, len(log)))
    after = Folding(_mixture(data, before, committed))

    counted: list[tuple[str, int]] = []
    for number, batch in log[committed:]:
        after.apply(number, batch)
        counted += after.counted()
        if data.draw(st.booleans()):
            after.flush()
    after.flush()

    assert_equals_oracle(after, beats)
    known = Counter(track for track, at in _reached(before) if at <= subtotal)
    known.update(track for track, at in counted if at > subtotal)
    assert known == counted_plays(beats)


def _mixture(
    data: st.DataObject, before: Folding, committed: int
) -> dict[tuple[str, str, int], tuple[int, bytes]]:
    """Rows as a crash may leave them: each at least as new as the commit, some newer."""
    store = {}
    for key, versions in before.versions.items():
        least = max((i for i, (at, _) in enumerate(versions) if at <= committed), default=-1)
        chosen = data.draw(st.integers(least, len(versions) - 1))
        if chosen >= 0:
            store[key] = versions[chosen]
    return store


def _reached(folding: Folding) -> list[tuple[str, int]]:
    return [
        (play.track_id, play.reached)
        for listener in LISTENERS
        for play in folding.plays(listener).values()
        if play.counted
    ]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_what_users_of_other_systems_were_counted_wrongly_for(case: Case) -> None:
    folding = Folding()

    folding.apply(1, case.heartbeats)
    folding.flush()

    assert_equals_oracle(folding, case.heartbeats)


def test_a_play_counts_with_the_record_that_brings_it_to_30_seconds() -> None:
    folding = Folding()

    folding.apply(7, [beat(0), beat(PLAY_MS - 1)])
    first = folding.counted()
    folding.apply(8, [beat(PLAY_MS)])
    second = folding.counted()
    folding.apply(9, [beat(2 * PLAY_MS)])

    assert [first, second, folding.counted()] == [[], [("t1", 8)], []]


def test_a_play_counts_with_the_record_that_joins_it_to_a_later_run() -> None:
    folding = Folding()

    folding.apply(1, [beat(61_000), beat(0)])
    first = folding.counted()
    folding.apply(2, [beat(1_000)])
    folding.flush()

    assert [first, folding.counted()] == [[], [("t1", 2)]]
    assert [play.reached for play in folding.plays("ann").values()] == [2]


def test_an_erased_listener_counts_no_more_and_writes_nothing() -> None:
    folding = Folding()
    erase = Heartbeat(id="e", listener_id="ann", track_id="-", kind=Kind.ERASE, at=0)
    folding.apply(1, [beat(0), beat(PLAY_MS)])

    erased = folding.apply(2, [erase, beat(MINUTE_MS)])
    folding.flush()

    assert erased == ["ann"]
    assert folding.store == {}
    assert folding.fold.now_playing(["ann"], MINUTE_MS) == [None]


def test_of_two_heartbeats_of_one_instant_the_smaller_texts_are_kept() -> None:
    folding = Folding()
    beats = [
        said(0, context="b", device_id="car"),
        said(0, context="a", device_id="phone"),
        said(0, context="a", device_id="car"),
    ]

    folding.apply(1, beats)
    folding.flush()

    assert_equals_oracle(folding, beats)


def test_a_day_play_has_the_texts_of_its_first_heartbeat_after_midnight() -> None:
    folding = Folding()
    beats = [
        said(DAY_MS + seconds * SECOND_MS, context=context)
        for seconds, context in ((-20, "x"), (5, "y"), (100, "z"))
    ]

    folding.apply(1, beats)
    folding.flush()

    assert_equals_oracle(folding, beats)


def test_what_is_loaded_does_not_take_the_room_of_what_is_new() -> None:
    before = Folding()
    runs = [beat(number * 61_000 % HOUR_MS, play_id=f"p{number}") for number in range(1_000)]
    before.apply(1, runs)
    before.flush()
    folding = Folding(before.store)
    more = [beat(number * 1_000, play_id=f"q{number}") for number in range(250)]

    folding.apply(2, more)
    folding.flush()

    assert_equals_oracle(folding, [*runs, *more])


def test_presence_is_the_newest_heartbeat_for_a_minute() -> None:
    folding = Folding()
    start = 1_795_000_000_000
    folding.apply(
        1, [beat(start, position_ms=5), beat(start + 1_000, position_ms=6, device_id="car")]
    )

    seen = folding.fold.now_playing(["ann", "nobody"], start + MINUTE_MS + 1_000)
    gone = folding.fold.now_playing(["ann"], start + MINUTE_MS + 1_001)

    assert seen[0] is not None
    assert (seen[0].track_id, seen[0].at, seen[0].position_ms) == ("t1", start + 1_000, 6)
    assert seen[0].is_playing
    assert (seen[1], gone) == (None, [None])


@pytest.mark.parametrize(
    ("kind", "playing"),
    [(Kind.START, True), (Kind.BEAT, True), (Kind.SEEK, True), (Kind.PAUSE, False)],
)
def test_a_pause_shows_as_paused(kind: Kind, playing: bool) -> None:
    folding = Folding()
    folding.apply(1, [beat(0), beat(10, kind)])

    (seen,) = folding.fold.now_playing(["ann"], 20)

    assert seen is not None
    assert seen.is_playing is playing


@pytest.mark.parametrize("kind", [Kind.STOP, Kind.SKIP])
def test_a_stopped_play_is_not_shown(kind: Kind) -> None:
    folding = Folding()
    folding.apply(1, [beat(0), beat(10, kind)])

    assert folding.fold.now_playing(["ann"], 20) == [None]


def test_nothing_is_forgotten_while_it_is_dirty() -> None:
    folding = Folding()
    folding.apply(1, [beat(0)])

    with pytest.raises(ValueError, match="dirty"):
        folding.fold.sweep(0)


def test_thousands_of_listeners_are_told_apart() -> None:
    folding = Folding()
    names = [f"{number:022d}" for number in range(5_000)]
    start = 100 * HOUR_MS + 10 * MINUTE_MS
    for step in range(3):
        record = [
            Heartbeat(
                id="h",
                listener_id=name,
                track_id="t",
                play_id="p",
                kind=Kind.BEAT,
                at=start + step * 30_000 + place,
            )
            for place, name in enumerate(names)
        ]
        folding.apply(step + 1, record)
        folding.flush()

    assert folding.fold.listeners == 5_000
    assert all(sum(folding.quarters(name).values()) == 60_000 for name in names[::500])


def test_an_empty_fold_has_nothing_to_write() -> None:
    assert len(Fold().collect()) == 0
