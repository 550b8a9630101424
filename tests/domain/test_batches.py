from hypothesis import given

from domain.batches import SCHEMA, batch_of, heartbeats_of
from domain.heartbeats import Heartbeat
from tests.strategies import heartbeats


@given(heartbeats())
def test_batches_hold_heartbeats_in_their_order(drawn: list[Heartbeat]) -> None:
    batch = batch_of(drawn)

    assert heartbeats_of(batch) == drawn
    assert batch.schema == SCHEMA
    assert all(column.null_count == 0 for column in batch.columns)
