"""The simulator bites: each mistake is seen within some seeds."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator.mutations import MUTATIONS, STRESSES, mutated
from tests.simulator.simulation import Outcome, simulate
from tests.simulator.world import NO_STRESS

SEEDS = 1_000


@pytest.mark.parametrize("name", MUTATIONS, ids=lambda name: name.replace(" ", "-"))
def test_a_mistake_is_seen(name: str, record_property: Any) -> None:
    with mutated(name):
        caught = next(_failed(name), None)

    assert caught, f"not one of {SEEDS} seeds sees it"
    record_property("seed", caught.seed)
    logging.getLogger(__name__).info("%s: seed %d: %s", name, caught.seed, caught.error)


def _failed(name: str) -> Iterator[Outcome]:
    stress = STRESSES.get(name, NO_STRESS)
    return (outcome for seed in range(SEEDS) if (outcome := simulate(seed, stress)).error)


@pytest.mark.parametrize("name", STRESSES, ids=lambda name: name.replace(" ", "-"))
def test_without_the_mistake_stress_does_no_harm(name: str) -> None:
    assert [seed for seed in range(20) if simulate(seed, STRESSES[name]).error] == []
