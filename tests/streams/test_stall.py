from hypothesis import given
from hypothesis import strategies as st

from streams.stall import Stall

LIMIT_S = 10.0
LOOKS = st.lists(
    st.tuples(st.sampled_from([0.5, 3.0, 6.0]), st.booleans(), st.integers(0, 1)), max_size=40
)


@given(LOOKS)
def test_only_what_was_behind_at_one_place_for_longer_than_the_limit_is_stalled(
    looks: list[tuple[float, bool, int]],
) -> None:
    stall, now_s = Stall(LIMIT_S), 0.0
    seen: list[tuple[float, bool, int]] = []
    for after_s, behind, mark in looks:
        now_s += after_s
        seen.append((now_s, behind, mark))

        stands = stall.stands("p", behind=behind, mark=mark, now_s=now_s)

        lately = [each for each in seen if now_s - each[0] <= LIMIT_S]
        moved = any(not was_behind or at != mark for _, was_behind, at in lately)
        before = seen[-len(lately) - 1 : -len(lately)]
        assert not (stands and moved)
        assert stands or moved or [each[1:] for each in before] != [(True, mark)]


def test_partitions_are_judged_each_by_itself() -> None:
    stall = Stall(LIMIT_S)
    for now_s in range(12):
        stands = stall.stands("stalled", behind=True, mark=7, now_s=now_s)
        assert stands is (now_s > LIMIT_S)
        assert not stall.stands("moves", behind=True, mark=now_s, now_s=now_s)


def test_what_comes_anew_is_judged_anew() -> None:
    stall = Stall(LIMIT_S)
    stall.stands("p", behind=True, mark=7, now_s=0)
    stall.forget("p")

    assert not stall.stands("p", behind=True, mark=7, now_s=LIMIT_S + 1)
