from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.batches import SCHEMA
from domain.heartbeat_items import Admission, HeartbeatItem
from domain.heartbeats import KINDS, Heartbeat, Kind, invalid_field, late_or_early
from serve.heartbeat_bodies import Taken
from serve.json_bodies import read_json
from serve.receipts import BadBody
from tests.serve.bodies import LATE_LIMIT_DAYS, NOW_MS, beat, json_of, rows

MINE = Admission("ann", NOW_MS, LATE_LIMIT_DAYS)
ANYBODYS = Admission(None, NOW_MS, LATE_LIMIT_DAYS)


def heartbeats_in(taken: Taken) -> list[Heartbeat]:
    assert isinstance(taken.rows, list)
    assert taken.accepted == len(taken.rows[0])
    return [
        Heartbeat(**dict(zip(SCHEMA.names, row, strict=True)) | {"kind": Kind(row[4])})
        for row in zip(*taken.rows, strict=True)
    ]


def test_a_whole_heartbeat_is_taken_as_it_is() -> None:
    said: dict[str, Any] = beat(kind="pause", play_id="p1", stretch=2, position_ms=90_000)
    said |= {"device_id": "phone", "context": "album:1"}

    assert heartbeats_in(read_json(json_of([said]), MINE)) == [
        Heartbeat(**said | {"listener_id": "ann", "kind": Kind.PAUSE})
    ]


@pytest.mark.parametrize("nothing", [{}, dict.fromkeys(["play_id", "stretch", "position_ms"])])
def test_what_is_null_or_left_out_has_its_default(nothing: dict[str, Any]) -> None:
    (taken,) = heartbeats_in(
        read_json(msgspec.json.encode({"heartbeats": [beat() | nothing]}), MINE)
    )

    assert (taken.play_id, taken.stretch, taken.position_ms) == ("", 0, -1)
    assert (taken.device_id, taken.context) == ("", "")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_known_by_its_name(name: str) -> None:
    (taken,) = heartbeats_in(read_json(json_of([beat(kind=name)]), MINE))

    assert taken.kind.name.lower() == name


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(beat(more={"deep": [1, {"er": None}]}), id="unknown-fields"),
        pytest.param(beat(listener_id="ann"), id="its-own-listener"),
        pytest.param(beat(id="x" * 128, context="\u00e9" * 128), id="the-longest-texts"),
        pytest.param(beat(context="\u0442\u0435\u0441\u0442 \U0001f3b5"), id="not-ascii"),
        pytest.param(beat(context='a "quoted" \\ one'), id="escapes"),
        pytest.param(beat(at=NOW_MS + 120_000), id="two-minutes-ahead"),
        pytest.param(beat(at=NOW_MS - 30 * 86_400_000), id="thirty-days-ago"),
        pytest.param(beat(stretch=2**31 - 1, position_ms=2**53 - 1), id="the-largest-numbers"),
    ],
)
def test_what_may_be_said_is_taken(item: dict[str, Any]) -> None:
    taken = read_json(json_of([item]), MINE)

    assert taken.accepted == 1
    assert not taken.rejected


@pytest.mark.parametrize(
    ("item", "field", "reason"),
    [
        pytest.param(beat(id=None), "id", "invalid", id="no-id"),
        pytest.param(beat(track_id=None), "track_id", "invalid", id="no-track"),
        pytest.param(beat(kind=None), "kind", "invalid", id="no-kind"),
        pytest.param(beat(at=None), "at", "invalid", id="no-instant"),
        pytest.param({"id": None} | beat(id=None), "id", "invalid", id="id-is-null"),
        pytest.param(beat(id=7), "id", "invalid", id="id-is-a-number"),
        pytest.param(beat(id=""), "id", "invalid", id="id-is-empty"),
        pytest.param(beat(id="x" * 10_000), "id", "invalid", id="id-of-10-kB"),
        pytest.param(beat(id="\u00e9" * 65), "id", "invalid", id="id-of-130-bytes"),
        pytest.param(beat(id="a\0b"), "id", "invalid", id="NUL"),
        pytest.param(beat(track_id="a\x7fb"), "track_id", "invalid", id="DEL"),
        pytest.param(beat(play_id="a\x85b"), "play_id", "invalid", id="a-C1-control"),
        pytest.param(beat(device_id=["phone"]), "device_id", "invalid", id="device-is-a-list"),
        pytest.param(beat(context="x" * 257), "context", "invalid", id="context-too-long"),
        pytest.param(beat(kind="Beat"), "kind", "invalid", id="kind-in-capitals"),
        pytest.param(beat(kind="erase"), "kind", "invalid", id="kind-that-is-ours"),
        pytest.param(beat(kind=1), "kind", "invalid", id="kind-as-a-number"),
        pytest.param(beat(at=1.0 * NOW_MS), "at", "invalid", id="at-is-a-float"),
        pytest.param(beat(at=str(NOW_MS)), "at", "invalid", id="at-is-text"),
        pytest.param(beat(at=True), "at", "invalid", id="at-is-a-bool"),
        pytest.param(beat(at=-1), "at", "invalid", id="at-before-the-epoch"),
        pytest.param(beat(at=2**63), "at", "invalid", id="at-beyond-64-bits"),
        pytest.param(beat(at=0), "at", "too_old", id="at-the-epoch"),
        pytest.param(beat(at=NOW_MS + 120_001), "at", "in_the_future", id="ahead"),
        pytest.param(beat(at=NOW_MS - 30 * 86_400_000 - 1), "at", "too_old", id="too-old"),
        pytest.param(beat(stretch=-1), "stretch", "invalid", id="stretch-below-zero"),
        pytest.param(beat(stretch=2**31), "stretch", "invalid", id="stretch-too-large"),
        pytest.param(beat(stretch=0.5), "stretch", "invalid", id="stretch-is-a-float"),
        pytest.param(beat(position_ms=-2), "position_ms", "invalid", id="position-below-zero"),
        pytest.param(beat(position_ms="0"), "position_ms", "invalid", id="position-is-text"),
        pytest.param(beat(listener_id="bob"), "listener_id", "invalid", id="of-another-listener"),
        pytest.param(beat(listener_id=""), "listener_id", "invalid", id="of-nobody"),
        pytest.param(beat(listener_id=3), "listener_id", "invalid", id="listener-is-a-number"),
        pytest.param(beat(at=1.5, stretch=-1), "at", "invalid", id="the-first-field-is-blamed"),
        pytest.param(beat(id="a\0b", at=1.5), "id", "invalid", id="the-first-of-any-kind"),
        pytest.param(3, None, "invalid", id="a-number"),
        pytest.param(None, None, "invalid", id="null"),
        pytest.param(["h1"], None, "invalid", id="a-list"),
        pytest.param({}, "id", "invalid", id="nothing"),
    ],
)
def test_a_bad_item_is_refused_by_field_and_its_neighbours_are_taken(
    item: Any, field: str | None, reason: str
) -> None:
    taken = read_json(json_of([beat(id="before"), item, beat(id="after")]), MINE)

    (refused,) = taken.rejected
    assert (refused.index, refused.field, refused.reason) == (1, field, reason)
    assert refused.id == (item.get("id") if _has_text_id(item) else None)
    assert [one.id for one in heartbeats_in(taken)] == ["before", "after"]


def _has_text_id(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("id"), str)


@pytest.mark.parametrize(
    ("item", "field"),
    [
        pytest.param(rb'{"id":"\ud800","track_id":"t","kind":"beat","at":1}', "id", id="high"),
        pytest.param(rb'{"id":"\udC00x","track_id":"t","kind":"beat","at":1}', "id", id="low"),
        pytest.param(
            rb'{"id":"h","track_id":"\\\ud800\\","kind":"beat","at":1}', "track_id", id="escaped"
        ),
        pytest.param(
            rb'{"id":"h","track_id":"t","kind":"\ud83d\ud83d","at":1}', "kind", id="two-high"
        ),
        pytest.param(rb'{"id":"h","at":' + b"9" * 5_000 + b"}", "track_id", id="no-track-either"),
        pytest.param(
            rb'{"id":"h","track_id":"t","kind":"beat","at":' + b"9" * 5_000 + b"}",
            "at",
            id="5000-digits",
        ),
        pytest.param(rb'{"id":"h","track_id":"t","kind":"beat","at":1e400}', "at", id="1e400"),
        pytest.param(rb'{"id":"h","track_id":"t","kind":"beat","at":-0.0}', "at", id="minus-zero"),
    ],
)
def test_json_that_only_its_grammar_allows_costs_one_item(item: bytes, field: str) -> None:
    good = msgspec.json.encode(beat(context="\U0001f3b5 \\ud800"))
    escaped = rb'{"id":"h2","track_id":"t\ud83c\udfb5","kind":"beat","at":1795000000000}'

    taken = read_json(b'{"heartbeats":[%b,%b,%b]}' % (good, item, escaped), MINE)

    assert [(one.index, one.field, one.reason) for one in taken.rejected] == [(1, field, "invalid")]
    assert [one.track_id for one in heartbeats_in(taken)] == ["t1", "t\U0001f3b5"]


def test_the_last_of_two_values_counts() -> None:
    body = b'{"heartbeats":[{"id":"h","track_id":"t","kind":"beat","at":1,"at":%d}]}' % NOW_MS

    assert [one.at for one in heartbeats_in(read_json(body, MINE))] == [NOW_MS]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        pytest.param(beat(), "listener_id", id="missing"),
        pytest.param(beat(listener_id="a b"), "listener_id", id="a-space"),
        pytest.param(beat(listener_id="\u00e9"), "listener_id", id="not-ascii"),
        pytest.param(beat(listener_id="x" * 41), "listener_id", id="41-characters"),
    ],
)
def test_a_gateway_says_whose_each_heartbeat_is(item: dict[str, Any], field: str) -> None:
    good = [beat(listener_id="ann"), beat(listener_id="~" * 40)]

    taken = read_json(json_of([*good, item]), ANYBODYS)

    assert [(one.index, one.field) for one in taken.rejected] == [(2, field)]
    assert [one.listener_id for one in heartbeats_in(taken)] == ["ann", "~" * 40]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"   ", id="blank"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b"{}", id="no-heartbeats"),
        pytest.param(b'{"heartbeats":null}', id="heartbeats-null"),
        pytest.param(b'{"heartbeats":{}}', id="heartbeats-an-object"),
        pytest.param(b'{"heartbeats":[]}', id="no-item"),
        pytest.param(json_of([beat()] * 1_001), id="1001-items"),
        pytest.param(json_of([beat()])[:-1], id="truncated"),
        pytest.param(json_of([beat()])[:40], id="truncated-in-an-item"),
        pytest.param(json_of([beat()]) + b"x", id="something-after-it"),
        pytest.param(b"\xef\xbb\xbf" + json_of([beat()]), id="a-byte-order-mark"),
        pytest.param(json_of([beat()]).decode().encode("utf-16"), id="utf-16"),
        pytest.param(json_of([beat(id="?")]).replace(b"?", b"\xff"), id="not-utf-8"),
        pytest.param(json_of([beat(id="?")]).replace(b"?", b"\xed\xa0\x80"), id="surrogate-bytes"),
        pytest.param(json_of([beat(id="?")]).replace(b"?", b"\n"), id="a-raw-newline"),
        pytest.param(json_of([beat(id="?")]).replace(b'"?"', b"NaN"), id="NaN"),
        pytest.param(b'{"heartbeats":[' * 50_000, id="deep"),
        pytest.param(
            b'{"heartbeats":[{"x":' + b"[" * 99_999 + b"]" * 99_999 + b"}]}", id="deep-item"
        ),
        pytest.param(b"heartbeats=1", id="a-form"),
        pytest.param(b"\0" * 100, id="zeros"),
    ],
)
def test_a_body_of_another_shape_is_refused_whole(body: bytes) -> None:
    with pytest.raises(BadBody):
        read_json(body, MINE)


def test_a_thousand_items_are_taken() -> None:
    assert read_json(json_of([beat()] * 1_000), MINE).accepted == 1_000


@given(rows(), st.sampled_from([None, "ann"]))
def test_a_heartbeat_is_taken_exactly_when_the_domain_takes_it(
    items: Sequence[dict[str, Any]], owner: str | None
) -> None:
    taken = read_json(json_of(items), Admission(owner, NOW_MS, LATE_LIMIT_DAYS))

    refused = {one.index for one in taken.rejected}
    assert refused == {place for place, item in enumerate(items) if not _may_be_taken(item, owner)}
    assert taken.accepted == len(items) - len(refused)


def _may_be_taken(item: dict[str, Any], owner: str | None) -> bool:
    said = {name: value for name, value in item.items() if value is not None}
    said.setdefault("listener_id", owner)
    if not {"id", "track_id", "at"} <= said.keys() or said.get("kind") not in KINDS:
        return False
    if said["listener_id"] is None or owner not in {None, said["listener_id"]}:
        return False
    whole = Heartbeat(**said | {"kind": KINDS[said["kind"]]})
    late = late_or_early(whole.at, now_ms=NOW_MS, late_limit_days=LATE_LIMIT_DAYS)
    return invalid_field(whole) is None and late is None


@given(rows())
def test_items_are_judged_together_as_each_alone(items: Sequence[dict[str, Any]]) -> None:
    together = read_json(json_of(items), ANYBODYS)

    alone = [read_json(json_of([item]), ANYBODYS) for item in items]
    assert heartbeats_in(together) == [one for taken in alone for one in heartbeats_in(taken)]
    assert together.rejected == [
        msgspec.structs.replace(one, index=place)
        for place, taken in enumerate(alone)
        for one in taken.rejected
    ]


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_do_worse_than_be_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        read_json(body, MINE)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=10,
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(HeartbeatItem.__struct_fields__), JSON_VALUES)
        | JSON_VALUES,
        min_size=1,
    )
)
def test_every_item_is_taken_or_refused_whatever_it_is(items: list[Any]) -> None:
    taken = read_json(json_of(items), MINE)

    assert taken.accepted + len(taken.rejected) == len(items)


@pytest.mark.parametrize("first", ['"x"', "-1", "null", "[]", '{"a": 1}', "1e400"])
def test_of_a_name_that_stands_twice_the_last_value_counts(first: str) -> None:
    body = f'{{"heartbeats": [{{"stretch": {first}, "id": "h", "track_id": "t", "kind": "beat", '
    twice = f'{body}"at": {NOW_MS}, "stretch": 7}}]}}'
    wrong = f'{body}"at": {NOW_MS}, "stretch": "y"}}]}}'

    taken = read_json(twice.encode(), MINE)

    assert [beat.stretch for beat in heartbeats_in(taken)] == [7]
    assert [one.field for one in read_json(wrong.encode(), MINE).rejected] == ["stretch"]


def test_a_body_of_a_million_values_is_not_taken_apart() -> None:
    ones = b'{"heartbeats":[' + b"1," * 1_000_000 + b"1]}"
    names = b'{"heartbeats":[{%s}]}' % b",".join(b'"%d":1' % number for number in range(200_000))

    for body in (ones, names):
        with pytest.raises(BadBody, match="more than 64000 values"):
            read_json(body, MINE)


def test_many_values_that_nobody_asked_for_are_ignored_where_all_is_right() -> None:
    items = [beat(id=f"h{number}", more=list(range(100))) for number in range(1_000)]

    assert read_json(json_of(items), MINE).accepted == 1_000
