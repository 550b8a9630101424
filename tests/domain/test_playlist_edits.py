"""An edit said of an older version does to the present one what was meant."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.playlist_deltas import make
from domain.playlist_edits import Add, Carry, Edit, Removal, Remove, Reorder, Replace, Restore
from domain.playlist_moves import block_moves, few_moves, longest_rising, moves
from domain.playlist_steps import Step
from domain.playlists import MOST_TOGETHER, BadEdit, Entry
from tests.domain.playlist_lists import LETTERS, entries, entry, names, seen_and_present


def after(edit: Edit, seen: Sequence[Entry], present: Sequence[Entry] | None = None) -> str:
    present = seen if present is None else present
    return names(made(edit.steps(seen, present), present))


def made(steps: Iterable[Step], present: Sequence[Entry]) -> list[Entry]:
    work = list(present)
    for step in [*steps]:
        make(work, [*step.splices(work)])
    return work


@pytest.mark.parametrize(
    ("position", "result"), [(None, "abcX"), (0, "Xabc"), (2, "abXc"), (3, "abcX")]
)
def test_tracks_are_added_before_a_position(position: int | None, result: str) -> None:
    assert after(Add((entry("X"),), position), entries("abc")) == result


@pytest.mark.parametrize(
    ("present", "result"),
    [
        ("abcd", "abXcd"),  # nothing happened
        ("cabd", "Xcabd"),  # what it goes before has moved
        ("abd", "abXd"),  # it is gone: before the next one
        ("ba", "bXa"),  # all behind it are gone: after the nearest before it
        ("zy", "zyX"),  # nothing of what was seen is there
        ("", "X"),
    ],
)
def test_an_addition_keeps_its_neighbours(present: str, result: str) -> None:
    assert after(Add((entry("X"),), 2), entries("abcd"), entries(present)) == result


def test_what_was_to_be_last_is_last() -> None:
    assert after(Add((entry("X"),), 2), entries("ab"), entries("abc")) == "abcX"


@pytest.mark.parametrize(
    ("start", "before", "length", "result"),
    [
        (0, 3, 1, "bcade"),
        (0, 5, 1, "bcdea"),
        (4, 0, 1, "eabcd"),
        (1, 4, 2, "adbce"),
        (2, 0, 3, "cdeab"),
        (0, 4, 3, "dabce"),  # the fewer are moved: here the one that is passed
        (3, 1, 2, "adebc"),
        (2, 2, 1, "abcde"),  # onto itself
        (2, 3, 1, "abcde"),
        (1, 3, 3, "abcde"),
    ],
)
def test_a_range_is_moved(start: int, before: int, length: int, result: str) -> None:
    assert after(Reorder(start, before, length), entries("abcde")) == result


def test_a_stale_move_moves_what_was_meant() -> None:
    present = entries("eXbadc")

    assert after(Reorder(0, 2), entries("abcde"), present) == "eXbdac"


def test_a_stale_move_leaves_out_what_was_removed() -> None:
    assert after(Reorder(0, 4, 2), entries("abcde"), entries("acde")) == "cdae"


@given(st.permutations(LETTERS[:9]), st.data())
def test_few_are_moved_to_where_many_would_be(order: list[str], data: st.DataObject) -> None:
    present = entries(order)
    moving = data.draw(st.lists(st.sampled_from(present), unique_by=lambda each: each.id))
    staying = [each for each in present if each not in moving]
    place = data.draw(st.integers(0, len(staying)))
    wanted = [*staying[:place], *moving, *staying[place:]]

    few = few_moves(present, moving, staying[place] if place < len(staying) else None)

    assert made(few, present) == made(moves(present, wanted), present) == wanted


@given(seen_and_present(), st.data())
def test_a_stale_move_moves_nothing_else(
    versions: tuple[list[Entry], list[Entry]], data: st.DataObject
) -> None:
    seen, present = versions
    if not seen:
        return
    start = data.draw(st.integers(0, len(seen) - 1))
    length = data.draw(st.integers(1, len(seen) - start))
    before = data.draw(st.integers(0, len(seen)))
    moving = {each.id for each in seen[start : start + length]}

    result = made(Reorder(start, before, length).steps(seen, present), present)

    together = [each.id for each in seen[start : start + length] if each in present]
    if not start <= before <= start + length:
        assert "".join(together) in names(result)
    assert sorted(names(result)) == sorted(names(present))
    assert [each for each in result if each.id not in moving] == [
        each for each in present if each.id not in moving
    ]


@given(st.integers(1, 12), st.data())
def test_block_moves_are_as_few_as_can_be(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size - 1))
    length = data.draw(st.integers(1, size - start))
    before = data.draw(
        st.integers(0, size).filter(lambda place: not start <= place <= start + length)
    )
    present = entries(LETTERS[:size])
    block, rest = present[start : start + length], present[:start] + present[start + length :]
    place = before if before < start else before - length

    steps = [*block_moves(start, length, before)]

    assert made(steps, present) == [*rest[:place], *block, *rest[place:]]
    assert len(steps) <= min(length, abs(before - start))


def test_tracks_are_removed_wherever_they_were_seen() -> None:
    seen = [entry("a", "x"), entry("b", "y"), entry("c", "x")]
    present = [entry("d", "x"), *seen]

    assert after(Remove((Removal("x"),)), seen, present) == "db"


def test_tracks_are_removed_where_they_were_seen() -> None:
    seen = [entry("a", "x"), entry("b", "y"), entry("c", "x")]

    assert after(Remove((Removal("x", (2,)),)), seen, seen[::-1]) == "ba"


def test_what_is_gone_is_removed_again_without_harm() -> None:
    seen = entries("abc")

    assert after(Remove((Removal("ta", (0,)),)), seen, entries("bc")) == "bc"


def test_everything_that_was_seen_is_replaced() -> None:
    edit = Replace((entry("X"), entry("Y")))

    assert after(edit, entries("abc")) == "XY"
    assert after(edit, entries("abc"), entries("bNa")) == "XYN"


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (Add((entry("X"),), 4), "position"),
        (Add((entry("X"),), -1), "position"),
        (Reorder(3, 0), "range_start"),
        (Reorder(-1, 0), "range_start"),
        (Reorder(0, 4), "insert_before"),
        (Reorder(1, 0, 3), "range_length"),
        (Reorder(1, 0, 0), "range_length"),
        (Remove((Removal("ta", (3,)),)), "items[0].positions"),
        (Remove((Removal("ta"), Removal("ta", (1,))), "tracks"), "tracks[1].positions"),
    ],
)
def test_positions_that_were_not_there_are_blamed(edit: Edit, field: str) -> None:
    with pytest.raises(BadEdit) as refused:
        after(edit, entries("abc"))

    assert refused.value.field == field


def test_nothing_can_be_moved_in_an_empty_playlist() -> None:
    with pytest.raises(BadEdit, match="empty"):
        after(Reorder(0, 0), [])


@given(seen_and_present())
def test_a_version_is_restored(versions: tuple[list[Entry], list[Entry]]) -> None:
    wanted, present = versions

    assert made(Restore(wanted).steps((), present), present) == wanted


def test_long_lists_are_restored_in_steps_of_a_request() -> None:
    wanted = [entry(f"n{number}") for number in range(250)]
    present = [entry(f"o{number}") for number in range(250)]

    steps = [*Restore(wanted).steps((), present)]

    assert made(steps, present) == wanted
    sizes = [getattr(step, "count", 0) + len(getattr(step, "entries", ())) for step in steps]
    assert max(sizes) == MOST_TOGETHER


@given(st.permutations(LETTERS[:9]))
def test_an_order_is_made_with_the_fewest_moves(order: list[str]) -> None:
    present, wanted = entries(LETTERS[:9]), entries(order)
    staying = longest_rising([LETTERS.index(each) for each in order])

    steps = [*moves(present, wanted)]

    assert made(steps, present) == wanted
    assert len(steps) == len(order) - len(staying)


@given(st.lists(st.integers(0, 50), unique=True, max_size=10))
def test_a_longest_rising_subsequence_is_found(numbers: list[int]) -> None:
    found = [numbers[place] for place in sorted(longest_rising(numbers))]
    longest = [0] * len(numbers)
    for end, number in enumerate(numbers):
        before = (longest[n] for n in range(end) if numbers[n] < number)
        longest[end] = 1 + max(before, default=0)

    assert found == sorted(found)
    assert len(found) == max(longest, default=0)


@given(seen_and_present(), seen_and_present())
def test_what_is_carried_over_is_what_was_done(
    mine: tuple[list[Entry], list[Entry]], theirs: tuple[list[Entry], list[Entry]]
) -> None:
    before, after_mine = mine
    present = [each for each in theirs[1] if each.id.islower()]
    there = {each.id for each in present}
    moved = frozenset(each.id for each in after_mine if each in before)
    added = {each.id for each in after_mine} - {each.id for each in before}
    removed = {each.id for each in before} - {each.id for each in after_mine}

    result = Carry(before, after_mine, moved).carried(present)

    assert {each.id for each in result} == (there - removed) | added
    assert len(result) == len({each.id for each in result})
    order = [each.id for each in after_mine if each in result]
    assert [each.id for each in result if each.id in order] == order


def test_what_is_carried_over_keeps_its_neighbours() -> None:
    before, after_mine = entries("abcdef"), entries("aXYbdcf")

    assert names(Carry(before, after_mine, frozenset("d")).carried(entries("faNbcd"))) == "faXYNbdc"


def test_what_is_carried_over_twice_is_there_once() -> None:
    carry = Carry(entries("ab"), entries("aXb"), frozenset())

    assert names(carry.carried(carry.carried(entries("ab")))) == "aXb"
