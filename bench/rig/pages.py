"""Makes ``docs/performance.md`` of what the benchmarks kept: `python -m bench.rig.pages`."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

from bench.report import RESULTS, spoken
from bench.rig.scale import scale

BENCH = Path(__file__).resolve().parents[1]
DOCS = BENCH.parent / "docs"
PICTURES = "images"
HEAD = """# Performance

Made by `make docs-performance` from `bench/results/`, which `make bench` writes; edit neither by hand.
A figure is the median of the runs beside it. What is asked over HTTP, started or killed is the real
`heartline up`, and the load generator shares the processor with it. `flink`, `fold`, `presence`, `sim` and
`warehouse` measure a part of Heartline in processes of their own; each says which.
"""

Document = dict[str, Any]


def main() -> None:
    """Write the pages and their pictures."""
    mpl.rcParams["svg.hashsalt"] = "heartline"  # the same figures give the same file
    (DOCS / PICTURES).mkdir(exist_ok=True)
    documents = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]
    text = "\n".join([HEAD, *(part for document in documents for part in section(document))])
    (DOCS / "performance.md").write_text(text)
    (DOCS / "scale.md").write_text(scale())


def section(document: Document) -> Iterator[str]:
    """Show one benchmark: its note, its figures, its curves, its machine."""
    name = document["bench"]
    title, _, note = _docstring(name).partition("\n")
    yield f"## {name}\n\n{title}\n\n{note.strip()}\n"
    yield "| goal | | seen | runs | |\n| --- | --- | ---: | --- | --- |"
    for goal in document["goals"]:
        sign = "at most" if goal.get("at_most") else "at least"
        met = "met" if goal["met"] else "**missed**"
        wanted = f"{sign} {goal['goal']:,g}"
        yield f"| {goal['what']} | {wanted} | {spoken(goal['seen'])} | {_runs(goal)} | {met} |"
    figures = document.get("figures", [])
    if figures:
        yield "\n| also | | runs |\n| --- | ---: | --- |"
    for figure in figures:
        seen = f"{spoken(figure['seen'])} {figure['unit']}".strip()
        yield f"| {figure['what']} | {seen} | {_runs(figure)} |"
    for number, plot in enumerate(document.get("plots", [])):
        path = f"{PICTURES}/bench-{name}-{number}.svg"
        _draw(plot, DOCS / path)
        yield f"\n![{plot['title']}]({path})"
    yield f"\n{_machine(document['machine'])}\n"


def _docstring(name: str) -> str:
    tree = ast.parse((BENCH / f"{name}.py").read_text())
    return ast.get_docstring(tree) or name


def _runs(figure: Document) -> str:
    return ", ".join(spoken(run) for run in figure.get("runs", ()))


def _machine(told: Document) -> str:
    versions = ", ".join(f"{name} {one}" for name, one in told.get("versions", {}).items())
    parts = [
        f"{told['cores']} cores of {told['cpu']}",
        f"{told['memory_mib'] / 1024:.0f} GiB" if "memory_mib" in told else "",
        f"{told['fsyncs_per_s']:,} fsyncs/s" if "fsyncs_per_s" in told else "",
        f"Linux {told['kernel']}" if "kernel" in told else "",
        f"Python {told['python']}",
        versions,
    ]
    return f"On {', '.join(part for part in parts if part)}."


def _draw(plot: Document, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    for name, points in plot["curves"].items():
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    if plot["limit"] is not None:
        axes.axhline(plot["limit"], color="0.5", linestyle="--", linewidth=1)
    axes.set(title=plot["title"], xlabel=plot["x"], ylabel=plot["y"])
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
