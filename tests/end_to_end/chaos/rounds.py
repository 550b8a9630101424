"""Rounds of chaos: under load, a victim dies at a random moment, and service must come back."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stores.accounts import Scope
from tests.end_to_end.chaos.backends import Backends
from tests.end_to_end.chaos.instance import Instance
from tests.end_to_end.chaos.label import Label
from tests.end_to_end.chaos.ledger import Ledger
from tests.end_to_end.chaos.load import Load
from tests.end_to_end.chaos.service import Service
from tests.end_to_end.chaos.verdict import check_recount, check_sample
from tests.end_to_end.chaos.victims import VICTIMS, Victim

POSTERS = 4
FIND_S = 90.0  # a start may be under way
LOOK_S = 0.05
SOONEST_S, LATEST_S = 0.2, 2.0  # of the kill, after the round before
IN_A_ROW = 0.15  # of rounds: another victim dies first, and nobody waits for it


@dataclass(frozen=True, slots=True)
class Round:
    """One kill, and how long it took until all was well again."""

    number: int
    victim: Victim
    before: Victim | None  # killed a moment earlier, and not waited for
    back_s: float
    caught_up_s: float  # till all was applied that the log had once it was back for a second

    @property
    def goal_s(self) -> float:
        """Within how many seconds all is to be well again."""
        return max(self.victim.goal_s, self.before.goal_s if self.before else 0.0)

    def __str__(self) -> str:
        late = "" if self.back_s <= self.goal_s else ", TOO LATE"
        after = f" right after the {self.before}" if self.before else ""
        return (
            f"round {self.number:3}: {self.victim}{after}, "
            f"back after {self.back_s:.1f} s (goal {self.goal_s:.0f} s){late}, "
            f"caught up after {self.caught_up_s:.1f} s"
        )


class Chaos:
    """An `up` under load, to be killed round after round."""

    def __init__(self, instance: Instance, seed: int, victims: Sequence[Victim]) -> None:
        self.instance, self.seed, self.ledger = instance, seed, Ledger()
        self._rng, self._victims = random.Random(seed), victims
        self._drawn = list[Victim]()
        self._ingest = instance.token("gateway", Scope.INGEST)
        self._operator = instance.token("operator", Scope.OPERATOR, Scope.LISTENER)
        self._label = Label(instance, instance.token("label", Scope.LABEL, Scope.LISTENER))
        self._service = Service(instance, ingest=self._ingest, operator=self._operator)

    def rounds(self, count: int) -> Iterator[Round]:
        """Kill *count* victims, each as often as any other; gives each round when service is back."""
        load = Load(self.instance.url, self._ingest, self.ledger, posters=POSTERS, seed=self.seed)
        with load, self._label:
            for number in range(count):
                if not self._drawn:
                    self._drawn = self._rng.sample(self._victims, len(self._victims))
                yield self._play(number + 1, self._drawn.pop())

    def judge(self, sample: int) -> str:
        """See that nothing is left to apply, now that the load has ended, and that every number is right.

        Raises
        ------
        AssertionError
            One is not.
        """
        caught_up_s = self._service.caught_up_s(time.monotonic())
        compared = check_sample(
            self.instance, self.ledger, self._operator, most=sample, seed=self.seed
        )
        in_log = check_recount(self.instance, self.ledger)
        self._label.check()
        assert self.ledger.wrong == []
        return (
            f"lag zero {caught_up_s:.1f} s after the load; "
            f"{self.ledger.taken} heartbeats acknowledged, {self.ledger.refused} refused, "
            f"{self.ledger.retried} requests sent again, {in_log} in the log; "
            f"{compared} listeners compared over HTTP, everything by recount: no difference; "
            f"{len(self._label.taken)} tracks uploaded, all there, the search index has just these"
        )

    def _play(self, number: int, victim: Victim) -> Round:
        time.sleep(self._rng.uniform(SOONEST_S, LATEST_S))
        before = self._rng.choice(self._victims) if self._rng.random() < IN_A_ROW else None
        if before:
            self._kill(before)
            time.sleep(self._rng.uniform(0, LATEST_S))
        killed_s, killed = self._kill(victim)
        back_s = self._service.back_s(killed_s, lambda: victim.replaced(self.instance, killed))
        return Round(number, victim, before, back_s, self._service.caught_up_s(killed_s))

    def _kill(self, victim: Victim) -> tuple[float, Sequence[int]]:
        """Kill it as soon as it is there."""
        end_s = time.monotonic() + FIND_S
        while True:
            began_s = time.monotonic()
            if killed := victim.kill(self.instance, self._rng):
                return began_s, killed
            assert began_s < end_s, f"there is no {victim.name}"
            time.sleep(LOOK_S)


@contextmanager
def chaos(
    data: Path,
    *,
    seed: int,
    window_ms: int = 1_000,
    victims: Sequence[Victim] = VICTIMS,
    servers: Backends | None = None,
    flags: Sequence[str] = (),
) -> Iterator[Chaos]:
    """Have an `up` on *data*, and on *servers*, ready to be killed; nothing of it is left afterwards."""
    instance = Instance(data, "--commit-window-ms", str(window_ms), *flags, servers=servers)
    try:
        instance.begin()
        instance.wait_ready()
        yield Chaos(instance, seed, victims)
    finally:
        instance.clear_away()
