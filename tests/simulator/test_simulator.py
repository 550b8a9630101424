"""Seeds of the simulator: no difference in any, every fault in some, and each the same every time."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulator.simulation import simulate
from tests.simulator.world import Fault

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 500
AT_ONCE = 50
DIGESTS = (
    "from tests.simulator.simulation import simulate; print([simulate(s).digest for s in range(5)])"
)

occurred: Counter[Fault] = Counter()


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_the_store_is_what_the_oracle_says_of_the_log(first: int) -> None:
    outcomes = [simulate(seed) for seed in range(first, first + AT_ONCE)]
    occurred.update(fault for outcome in outcomes for fault in outcome.occurred.elements())

    failed = [outcome for outcome in outcomes if outcome.error]

    assert not failed, "\n".join(
        f"{outcome.error}\n  replay it: python -m bench.sim --seed {outcome.seed} --trace"
        for outcome in failed
    )


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_every_kind_of_fault_has_struck(fault: Fault) -> None:
    if not occurred:
        occurred.update(fault for seed in range(SEEDS) for fault in simulate(seed).occurred)

    assert occurred[fault] >= 10


@pytest.mark.parametrize("hash_seed", ["0", "1234"])
def test_a_seed_is_the_same_run_in_every_process(hash_seed: str) -> None:
    here = [simulate(seed).digest for seed in range(5)]

    there = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )

    assert there.stdout.strip() == str(here)
