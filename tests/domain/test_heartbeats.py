import msgspec
import pytest
from hypothesis import given

from domain.heartbeats import (
    KINDS,
    LAST_COUNTED,
    MOST_AT,
    MOST_POSITION_MS,
    MOST_STRETCH,
    Heartbeat,
    Kind,
    invalid_field,
    late_or_early,
)
from domain.recount import COUNTED
from domain.units import DAY_MS, FUTURE_MS
from tests.strategies import heartbeats

NOW = 1_795_000_000_000
LATE_DAYS = 30
GOOD = Heartbeat(id="h", listener_id="ann", track_id="t", kind=Kind.BEAT, at=NOW)


@given(heartbeats())
def test_what_clients_send_is_taken(drawn: list[Heartbeat]) -> None:
    assert [invalid_field(one) for one in drawn] == [None] * len(drawn)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("id", "h" * 128, id="the-longest-id"),
        pytest.param("listener_id", "l" * 40, id="the-longest-listener-id"),
        pytest.param("track_id", "\u00e9" * 64, id="the-longest-track-id"),
        pytest.param("play_id", "", id="no-play-id"),
        pytest.param("play_id", "p" * 128, id="the-longest-play-id"),
        pytest.param("stretch", 0, id="the-first-stretch"),
        pytest.param("stretch", MOST_STRETCH, id="the-last-stretch"),
        pytest.param("at", 0, id="the-epoch"),
        pytest.param("at", MOST_AT, id="the-last-instant"),
        pytest.param("position_ms", -1, id="no-position"),
        pytest.param("position_ms", MOST_POSITION_MS, id="the-last-position"),
        pytest.param("device_id", "d" * 128, id="the-longest-device-id"),
        pytest.param("context", "c" * 256, id="the-longest-context"),
    ],
)
def test_what_is_at_a_limit_is_taken(field: str, value: object) -> None:
    assert invalid_field(changed(field, value)) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("id", "", id="an-empty-id"),
        pytest.param("id", "h" * 129, id="a-long-id"),
        pytest.param("id", "h\0", id="an-id-with-nul"),
        pytest.param("listener_id", "", id="an-empty-listener-id"),
        pytest.param("listener_id", "l" * 41, id="a-long-listener-id"),
        pytest.param("listener_id", "\u00e9", id="a-listener-id-that-is-not-ascii"),
        pytest.param("track_id", "", id="an-empty-track-id"),
        pytest.param("track_id", "\u00e9" * 64 + "t", id="a-long-track-id"),
        pytest.param("track_id", "\udcff", id="a-track-id-with-a-lone-surrogate"),
        pytest.param("play_id", "p" * 129, id="a-long-play-id"),
        pytest.param("play_id", "p\n", id="a-play-id-with-a-line-feed"),
        pytest.param("stretch", -1, id="a-negative-stretch"),
        pytest.param("stretch", MOST_STRETCH + 1, id="a-large-stretch"),
        pytest.param("at", -1, id="before-the-epoch"),
        pytest.param("at", MOST_AT + 1, id="after-the-last-instant"),
        pytest.param("at", 1 << 70, id="far-after-the-last-instant"),
        pytest.param("position_ms", -2, id="a-negative-position"),
        pytest.param("position_ms", MOST_POSITION_MS + 1, id="a-large-position"),
        pytest.param("device_id", "d" * 129, id="a-long-device-id"),
        pytest.param("context", "c" * 257, id="a-long-context"),
        pytest.param("context", "c" * 10_000_000, id="a-huge-context"),
    ],
)
def test_what_is_beyond_a_limit_is_named(field: str, value: object) -> None:
    assert invalid_field(changed(field, value)) == field


def test_the_first_of_several_is_named() -> None:
    assert invalid_field(msgspec.structs.replace(GOOD, context="\0", track_id="")) == "track_id"


def changed(field: str, value: object) -> Heartbeat:
    return msgspec.structs.replace(GOOD, **{field: value})


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        pytest.param(NOW, None, id="now"),
        pytest.param(NOW + FUTURE_MS - 1, None, id="below-two-minutes-ahead"),
        pytest.param(NOW + FUTURE_MS, None, id="two-minutes-ahead"),
        pytest.param(NOW + FUTURE_MS + 1, "in_the_future", id="above-two-minutes-ahead"),
        pytest.param(NOW - LATE_DAYS * DAY_MS + 1, None, id="below-thirty-days"),
        pytest.param(NOW - LATE_DAYS * DAY_MS, None, id="thirty-days"),
        pytest.param(NOW - LATE_DAYS * DAY_MS - 1, "too_old", id="above-thirty-days"),
        pytest.param(0, "too_old", id="the-epoch"),
        pytest.param(MOST_AT, "in_the_future", id="the-last-instant"),
    ],
)
def test_an_instant_too_far_from_now_is_refused(at: int, reason: str | None) -> None:
    refusal = late_or_early(at, now_ms=NOW, late_limit_days=LATE_DAYS)

    assert (refusal.reason if refusal else None) == reason
    assert (refusal.field if refusal else "at") == "at"


def test_the_refusal_says_which_limit_it_was() -> None:
    refusal = late_or_early(NOW - 8 * DAY_MS, now_ms=NOW, late_limit_days=7)

    assert refusal is not None
    assert "7 days" in refusal.message


def test_the_counted_kinds_are_those_at_which_audio_sounded() -> None:
    assert {kind for kind in Kind if kind <= LAST_COUNTED} == set(COUNTED)
    assert {name for name, kind in KINDS.items() if kind in COUNTED} == {
        "start",
        "beat",
        "pause",
        "stop",
    }


def test_a_client_cannot_erase() -> None:
    assert set(KINDS) == {"start", "beat", "pause", "stop", "seek", "skip"}
