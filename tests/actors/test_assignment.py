"""The assignment: partitions are shared evenly, and as few as can be move."""

from collections import Counter
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from actors.assignment import Assignment, moves

SHARDS = st.lists(st.integers(0, 20), min_size=1, max_size=9, unique=True)
ASSIGNMENTS = st.lists(st.integers(0, 12), min_size=1, max_size=64).map(
    lambda owners: Assignment(1, tuple(owners))
)


@given(ASSIGNMENTS, SHARDS)
def test_afterwards_each_shard_and_nobody_else_owns_its_share(
    assignment: Assignment, shards: list[int]
) -> None:
    after = reduce(Assignment.after, moves(assignment, shards), assignment)

    owned = Counter(after.owners)
    shares = [owned[shard] for shard in shards]
    assert set(owned) <= set(shards)
    assert max(shares) - min(shares) <= 1


@given(ASSIGNMENTS, SHARDS)
def test_no_fewer_moves_would_do(assignment: Assignment, shards: list[int]) -> None:
    planned = list(moves(assignment, shards))

    owned = Counter(assignment.owners)
    each, over = divmod(len(assignment.owners), len(shards))
    most_first = sorted((owned[shard] for shard in shards), reverse=True)
    shares = [each + (place < over) for place in range(len(shards))]
    staying = sum(min(has, share) for has, share in zip(most_first, shares, strict=True))
    assert len(planned) == len(assignment.owners) - staying
    assert [move for move in planned if move.before == move.after] == []


@given(ASSIGNMENTS, SHARDS)
def test_a_second_time_nothing_moves(assignment: Assignment, shards: list[int]) -> None:
    after = reduce(Assignment.after, moves(assignment, shards), assignment)

    assert list(moves(after, shards)) == []


@given(ASSIGNMENTS)
def test_what_is_written_can_be_read(assignment: Assignment) -> None:
    assert Assignment.decoded(assignment.encoded()) == assignment


def test_at_first_partitions_are_dealt_out_in_turn() -> None:
    dealt = Assignment.dealt(5, [0, 3])

    assert dealt.owners == (0, 3, 0, 3, 0)
    assert dealt.owned_by(3) == [1, 3]
    assert dealt.shards == [0, 3]
