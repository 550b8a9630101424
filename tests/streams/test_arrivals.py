"""What came of a partition: nothing is skipped, nothing is acknowledged before it is durable."""

from dataclasses import dataclass, field
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ports import Record
from streams.arrivals import Arrivals

RECORDS = 40
KEPT_BYTES = 60
CALL_BYTES = 25


@dataclass
class Run:
    """A partition, Faust before it and its shard behind it, as they may behave."""

    log: list[Record]
    arrivals: Arrivals = field(default_factory=lambda: Arrivals(KEPT_BYTES))
    arriving: int = 0  # Faust's position
    acknowledged: list[int] = field(default_factory=list)
    group: int = 0  # what Faust has committed
    wanted: int = 0
    durable: int = 0

    def __post_init__(self) -> None:
        self.arrivals.begin(self.group)

    def bring(self) -> None:
        if self.arriving < len(self.log):
            record = self.log[self.arriving]
            self.arrivals.add(record, partial(self.acknowledged.append, record.offset))
            self.arriving += 1

    def bring_again(self) -> None:
        """Faust goes back to what it has committed, without a word."""
        self.arriving = self.group

    def rebalance(self) -> None:
        """The partition goes to somebody else, who knows nothing."""
        self.commit()
        self.arrivals = Arrivals(KEPT_BYTES)
        self.arrivals.begin(self.group)
        self.arriving = self.group
        self.acknowledged.clear()

    def hand_over(self) -> None:
        if self.arrivals.lacks(self.wanted):
            records = self.log[self.wanted : self.wanted + 3]
            assert records
        else:
            records = self.arrivals.take(self.wanted, CALL_BYTES)
            assert len(records) < 2 or sum(len(each.payload) for each in records) <= CALL_BYTES
        offsets = [record.offset for record in records]
        assert offsets == list(range(self.wanted, self.wanted + len(offsets)))
        self.wanted += len(offsets)

    def flush(self) -> None:
        self.durable = max(self.durable, self.wanted)

    def restart_shard(self) -> None:
        self.wanted = self.durable

    def restore_older_store(self) -> None:
        self.wanted = self.durable // 2

    def acknowledge(self) -> None:
        before = len(self.acknowledged)
        self.arrivals.acknowledge(self.durable)
        fresh = self.acknowledged[before:]
        assert fresh == sorted(set(fresh))
        assert all(offset < self.durable for offset in fresh)

    def commit(self) -> None:
        while self.group in self.acknowledged:
            self.group += 1


STEPS = [
    Run.bring,
    Run.bring_again,
    Run.rebalance,
    Run.hand_over,
    Run.flush,
    Run.restart_shard,
    Run.restore_older_store,
    Run.acknowledge,
    Run.commit,
]


@given(
    steps=st.lists(st.sampled_from([Run.bring, Run.hand_over, *STEPS]), max_size=150),
    sizes=st.lists(st.integers(1, 30), min_size=RECORDS, max_size=RECORDS),
)
def test_everything_goes_over_in_order_and_is_acknowledged_when_it_is_durable(
    steps: list[object], sizes: list[int]
) -> None:
    run = Run([Record(offset, 0, b"x" * size) for offset, size in enumerate(sizes)])

    for step in steps:
        step(run)  # type: ignore[operator]
        assert run.group <= run.durable

    while run.arriving < RECORDS:
        run.bring()
    while run.wanted < RECORDS:
        before = run.wanted
        run.hand_over()
        assert run.wanted > before
    run.flush()
    run.acknowledge()
    run.commit()
    assert run.group == RECORDS
    assert run.arrivals.unacknowledged == 0


@pytest.mark.parametrize(
    ("wanted", "lacks"),
    [
        pytest.param(4, True, id="before-what-came"),
        pytest.param(5, False, id="the-first-that-came"),
        pytest.param(6, False, id="the-last-that-came"),
        pytest.param(7, False, id="the-next-to-come"),
    ],
)
def test_what_did_not_come_is_lacking(wanted: int, *, lacks: bool) -> None:
    arrivals = Arrivals()
    arrivals.add(Record(5, 0, b""), int)
    arrivals.add(Record(6, 0, b""), int)

    assert arrivals.lacks(wanted) is lacks


def test_nothing_is_lacking_before_anything_is_known() -> None:
    assert not Arrivals().lacks(3)


def test_the_newest_are_kept_up_to_a_size() -> None:
    arrivals = Arrivals(most_bytes=20)
    for offset in range(3):
        arrivals.add(Record(offset, 0, b"x" * 10), int)

    assert arrivals.lacks(0)
    assert [record.offset for record in arrivals.take(1, 100)] == [1, 2]
