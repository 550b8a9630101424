"""What a shard counts of the records that it was given."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from actors.listener_shard import ListenerShard
from actors.partition import Partition
from actors.shard_metrics import ShardMetrics
from domain.batches import batch_of
from domain.payloads import encode
from tests.actors.test_partition import GENERATION, House, beats


async def test_what_was_applied_repeated_left_out_and_flushed_is_counted(tmp_path: Path) -> None:
    house, registry = House(tmp_path), CollectorRegistry()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"heartline_{name}", labels)

    payloads = [encode(batch_of(beats(0, 30))), b"rubbish", encode(batch_of(beats(60)))]
    await house.log.append([(0, payload) for payload in payloads])
    records = await house.log.read(GENERATION, 0, 0, most_bytes=1 << 20)
    partition = Partition(
        GENERATION,
        0,
        listening=house.listening,
        log=house.log,
        now_ms=house.clock,
        metrics=ShardMetrics(registry),
    )
    await partition.apply(0, records)
    await partition.apply(0, records)
    await partition.flush()
    await house.tables.close()

    assert value("heartbeats_applied_total", partition="0") == 3
    assert value("records_applied_total", partition="0") == 2
    assert value("records_duplicate_total", partition="0") == 3
    assert value("dead_letters_total", source="log", reason="unreadable") == 1
    assert value("flush_seconds_count") == 1
    assert value("flush_rows_sum") == 3  # an hour, a week, a play
    assert (value("flush_bytes_sum") or 0) > 30
    assert (value("fold_bytes", partition="0") or 0) > 1_000


async def test_a_partition_that_another_shard_has_takes_no_memory_here(tmp_path: Path) -> None:
    house, registry = House(tmp_path), CollectorRegistry()
    shard = ListenerShard(
        GENERATION,
        listening=house.listening,
        log=house.log,
        commit_window_ms=60_000,
        now_ms=house.clock,
        metrics=ShardMetrics(registry),
    )
    await house.log.put(beats(0, 30))
    await shard.apply(0, 0, house.log.records[0, 0])

    await shard.release(0)

    assert registry.get_sample_value("heartline_fold_bytes", {"partition": "0"}) is None
    assert registry.get_sample_value("heartline_records_applied_total", {"partition": "0"}) == 1
    await house.tables.close()
