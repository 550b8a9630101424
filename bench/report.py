"""What every benchmark hands in: goals and figures of repeated runs, and curves.

Printed for people, then as one line of JSON, and kept as ``bench/results/NAME.json``, of which
`bench.rig.pages` makes ``docs/performance.md``. What a benchmark predicts, saw and would do next stands
in its module's docstring, and comes into the page with it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.rig.machine import machine

RESULTS = Path(__file__).parent / "results"

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that was promised, and the one that was seen; *at_most* turns the comparison round."""

    what: str
    goal: float
    seen: float
    at_most: bool = False
    runs: Sequence[float] = ()

    @classmethod
    def of_runs(
        cls, what: str, goal: float, runs: Sequence[float], *, at_most: bool = False
    ) -> "Goal":
        """Take the median of repeated runs."""
        return cls(what, goal, median(runs), at_most, tuple(runs))

    @property
    def met(self) -> bool:
        """Whether the figure keeps the promise."""
        return self.seen <= self.goal if self.at_most else self.seen >= self.goal


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that nobody promised: a peer's, a part of the whole."""

    what: str
    seen: float
    unit: str = ""
    runs: Sequence[float] = ()

    @classmethod
    def of_runs(cls, what: str, runs: Sequence[float], unit: str = "") -> "Figure":
        """Take the median of repeated runs."""
        return cls(what, median(runs), unit, tuple(runs))


@dataclass(frozen=True, slots=True)
class Plot:
    """Curves over one pair of axes: name to (x, y) points; *limit* is a line that is not to cross."""

    title: str
    x: str
    y: str
    curves: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    limit: float | None = None


def report(
    name: str, goals: Sequence[Goal], *, figures: Sequence[Figure] = (), plots: Sequence[Plot] = ()
) -> None:
    """Print everything, and keep it in ``bench/results``."""
    for figure in figures:
        print(f"  {figure.what:<60} {spoken(figure.seen):>12} {figure.unit}")
    for goal in goals:
        sign, verdict = ("≤" if goal.at_most else "≥"), ("met" if goal.met else "MISSED")
        print(f"  {goal.what:<60} {spoken(goal.seen):>12}   goal {sign} {goal.goal:,g}   {verdict}")
    document = {
        "bench": name,
        "goals": [asdict(goal) | {"met": goal.met} for goal in goals],
        "figures": [asdict(figure) for figure in figures],
        "plots": [asdict(plot) for plot in plots],
        "machine": machine(),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document))
    sys.stdout.flush()


def seen(name: str, what: str) -> float:
    """Look up a goal's or a figure's value among the kept results.

    :raises KeyError: if that benchmark was not run, or has nothing of that name.
    """
    path = RESULTS / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for each in (*document.get("goals", ()), *document.get("figures", ())):
        if each["what"] == what:
            return float(each["seen"])
    raise KeyError(f"{path.name} has no {what!r}; run make bench-{name}")


def spoken(number: float) -> str:
    """Write a number with as many digits as mean something."""
    size = abs(number)
    return f"{number:,.0f}" if size >= 100 else f"{number:,.1f}" if size >= 10 else f"{number:.3g}"
