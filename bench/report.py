"""What every benchmark prints: a table for people, then one line of JSON for machines."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that was promised, and the one that was seen; *at_most* turns the comparison round."""

    what: str
    goal: float
    seen: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure keeps the promise."""
        return self.seen <= self.goal if self.at_most else self.seen >= self.goal


def machine() -> dict[str, str | int]:
    """Describe where the figures come from."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {"cpu": model, "cores": os.cpu_count() or 1, "python": platform.python_version()}


def report(name: str, goals: Sequence[Goal]) -> None:
    """Print the goals, and keep them in ``bench/results``."""
    for goal in goals:
        sign, verdict = ("≤" if goal.at_most else "≥"), ("met" if goal.met else "MISSED")
        print(f"  {goal.what:<52} {goal.seen:>12,.2f}   goal {sign} {goal.goal:,.2f}   {verdict}")
    kept = [
        {key: value for key, value in asdict(goal).items() if key != "at_most"} | {"met": goal.met}
        for goal in goals
    ]
    document = {"bench": name, "goals": kept, "machine": machine()}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document))
