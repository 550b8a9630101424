"""Strikes the servers below the whole, and the whole above them, under load, in each way once."""

import sys
from pathlib import Path

import pytest

from tests.end_to_end.chaos.backends import backends
from tests.end_to_end.chaos.outages import outages
from tests.end_to_end.chaos.rounds import chaos
from tests.servers.programs import Missing

pytestmark = [
    pytest.mark.beside,
    pytest.mark.end_to_end,
    pytest.mark.servers,
    pytest.mark.timeout(900),
]

STRUCK = (  # each way once; `make bench-outages` plays all of them
    "Kafka killed",
    "Redis killed",
    "Cassandra frozen",
    "Kafka cut off",
    "Cassandra disconnected",
    "shard killed",
    "shard frozen",
    "consumer frozen",
    "everything killed",
)
SEED = 20_261_122
SAMPLE = 40
FROZEN_S = 5.0  # there 90 seconds


def test_nothing_acknowledged_is_lost_or_doubled_whatever_befalls_the_servers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def tell(line: str) -> None:
        with capfd.disabled():
            sys.stdout.write(f"\n{line}")

    possible = {str(victim): victim for victim in outages(FROZEN_S)}
    try:
        with (
            backends(tmp_path / "servers", cables=True) as servers,
            chaos(
                tmp_path / "data",
                seed=SEED,
                victims=[possible[name] for name in STRUCK],
                servers=servers,
                flags=("--partitions", "8"),
            ) as battle,
        ):
            tell(f"seed {SEED}")
            for played in battle.rounds(len(STRUCK)):
                tell(str(played))
            tell(battle.judge(SAMPLE))
            assert battle.instance.stop() == 0
    except Missing as missing:
        pytest.skip(str(missing))

    assert battle.ledger.taken > 0
