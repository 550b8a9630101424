"""The simulator bites: each mistake is seen within some seeds."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator.mutations import MUTATIONS, mutated
from tests.simulator.simulation import Outcome, simulate

SEEDS = 1_000


@pytest.mark.parametrize("name", MUTATIONS, ids=lambda name: name.replace(" ", "-"))
def test_a_mistake_is_seen(name: str, record_property: Any) -> None:
    with mutated(name):
        caught = next(_failed(), None)

    assert caught, f"not one of {SEEDS} seeds sees it"
    record_property("seed", caught.seed)
    logging.getLogger(__name__).info("%s: seed %d: %s", name, caught.seed, caught.error)


def _failed() -> Iterator[Outcome]:
    return (outcome for seed in range(SEEDS) if (outcome := simulate(seed)).error)
