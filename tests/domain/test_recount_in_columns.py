from collections import defaultdict

import pyarrow as pa
import pytest
from hypothesis import given

from domain import recount
from domain.batches import SCHEMA, batch_of
from domain.heartbeats import Heartbeat
from domain.recount import COUNTED, Counts
from domain.recount_in_columns import counts
from tests import strategies
from tests.domain.cases import CASES, Case


def table(beats: list[Heartbeat]) -> pa.Table:
    return pa.Table.from_batches([batch_of(beats)], SCHEMA)


def by_the_oracle(beats: list[Heartbeat]) -> dict[str, Counts]:
    of: dict[str, list[Heartbeat]] = defaultdict(list)
    for beat in beats:
        of[beat.listener_id].append(beat)
    return {
        name: recount.counts(said)
        for name, said in of.items()
        if any(beat.kind in COUNTED for beat in said)
    }


@given(strategies.heartbeats())
def test_it_counts_as_the_oracle_does(beats: list[Heartbeat]) -> None:
    assert counts(table(beats)) == by_the_oracle(beats)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_counts_every_case_that_was_worked_out_by_hand(case: Case) -> None:
    found = counts(table(list(case.heartbeats)))

    assert found == by_the_oracle(list(case.heartbeats))


def test_nothing_comes_of_nothing() -> None:
    assert counts(table([])) == {}
