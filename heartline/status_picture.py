"""The status as tables for a terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

GROWING_MS, STALE_MS = 120_000, 300_000  # as the alert rules say
MOST_PARTITIONS = 16  # shown while watching, those that are farthest behind
MIB = 1 << 20

Told = Mapping[str, Any]


def picture(told: Told, rates: Mapping[str, float] | None = None) -> RenderableType:
    """Draw the status; *rates* are heartbeats a second, by what became of them."""
    parts = [_head(told)]
    if figures := told.get("figures"):
        parts += ["", _heartbeats(figures, rates)]
    if told["shards"]:
        parts += ["", _shards(told)]
    parts += ["", _partitions(told["partitions"], watching=rates is not None)]
    if figures:
        parts += ["", _batches(figures), "", _requests(figures), "", _processes(figures)]
    return Group(*parts)


def _head(told: Told) -> RenderableType:
    where = f"runs at {told['url']}" if told["url"] else "does not run; this is what the files tell"
    lag_ms = max(each["lag_ms"] for each in told["partitions"])
    lines: list[RenderableType] = [
        f"Heartline {where}",
        f"readers see everything but the last {_aged(told['staleness_ms'])}",
        f"waiting: {told['lag']} records to be applied, the oldest since {_ago(lag_ms)};"
        f" {told['rows_waiting']} rows to be written",
    ]
    if told["stale"]:
        lines.append(f"[red]stale: nothing written for {_ago(told['unwritten_ms'])}[/red]")
    if told["presence"]:
        lines.append(f"[red]nobody is shown to play anything: {escape(told['presence'])}[/red]")
    if search := told.get("search"):
        lines += _search(search)
    return Group(*lines)


def _search(told: Told) -> list[RenderableType]:
    if told["engine"] != "ok":
        return ["[red]search: the engine is away[/red]"]
    if told["behind_ms"]:
        return [f"search: the oldest change waits for the index since {_ago(told['behind_ms'])}"]
    return []


def _heartbeats(figures: Told, rates: Mapping[str, float] | None) -> Table:
    table = _table("heartbeats", "since the start", *(["a second"] if rates else []))
    table.columns[0].justify = "left"
    for name, value in FLOWS.items():
        rate = [f"{rates[name]:,.1f}"] if rates else []
        table.add_row(name, _count(value(figures)), *rate)
    return table


FLOWS: Mapping[str, Callable[[Told], int]] = {
    "in": lambda told: told["heartbeats"]["received"],
    "acknowledged": lambda told: told["heartbeats"]["acknowledged"],
    "gathered": lambda told: told["heartbeats"]["gathered"],
    "applied": lambda told: told["heartbeats"]["applied"],
    "late": lambda told: told["heartbeats"]["rejected"].get("too_old", 0),
    "refused": lambda told: sum(told["heartbeats"]["rejected"].values()),
    "dead letters": lambda told: told["records"]["dead_letters"],
    "duplicate records": lambda told: told["records"]["duplicate"],
}


def _shards(told: Told) -> Table:
    table = _table("shard", "", "partitions", "listeners", "rows waiting")
    for shard in told["shards"]:
        table.add_row(
            str(shard["shard"]),
            "[green]alive[/green]" if shard["alive"] else "[red]no answer[/red]",
            str(len(shard["partitions"])),
            _count(shard["listeners"]),
            _count(shard["rows_waiting"]),
        )
    return table


def _partitions(partitions: Sequence[Told], *, watching: bool) -> Table:
    columns = ("records", "lag", "lag in time", "not durable", "staleness", "rows waiting", "")
    table = _table("partition", *columns)
    shown = list(partitions)
    if watching and len(shown) > MOST_PARTITIONS:
        shown = sorted(shown, key=lambda each: -each["staleness_ms"])[:MOST_PARTITIONS]
        table.title = f"the {MOST_PARTITIONS} of {len(partitions)} that are farthest behind"
    for each in shown:
        table.add_row(
            str(each["partition"]),
            _count(each["end"]),
            _count(each["lag"]),
            _ago(each["lag_ms"]),
            _count(each["waiting"]),
            _aged(each["staleness_ms"]),
            _count(each["rows_waiting"]),
            f"[red]{escape(each['trouble'])}[/red]" if each["trouble"] else "",
        )
    return table


def _batches(figures: Told) -> Table:
    table = _table("", "count", "rows", "bytes", "median", "p99")
    for name, what in (("appends to the log", "appends"), ("flushes to the store", "flushes")):
        told = figures[what]
        size = _mean(told.get("mean_bytes"))
        times = _ms(told["p50_ms"]), _ms(told["p99_ms"])
        table.add_row(name, _count(told["count"]), _mean(told["mean_rows"]), size, *times)
    return table


def _requests(figures: Told) -> Table:
    table = _table("requests", "count", "failed", "median", "p99")
    table.columns[0].justify = "left"
    for each in figures["requests"]:
        failed = f"[red]{_count(each['failed'])}[/red]" if each["failed"] else "0"
        times = _ms(each["p50_ms"]), _ms(each["p99_ms"])
        table.add_row(escape(each["path"]), _count(each["count"]), failed, *times)
    return table


def _processes(figures: Told) -> Table:
    table = _table("process", "memory", "CPU")
    table.columns[0].justify = "left"
    for each in figures["processes"]:
        memory = f"{each['memory_bytes'] // MIB} MiB"
        table.add_row(escape(each["process"]), memory, f"{each['cpu_seconds']:.0f} s")
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.title_justify, table.title_style = "left", "dim"
    for column in columns:
        table.add_column(column, justify="left" if column == "" else "right")
    return table


def _aged(ms: int) -> str:
    colour = "green" if ms < GROWING_MS else "yellow" if ms < STALE_MS else "red"
    return f"[{colour}]{_ago(ms)}[/{colour}]"


def _ago(ms: int) -> str:
    if ms < 120_000:
        return f"{ms / 1000:.1f} s"
    minutes = ms // 60_000
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _count(number: int) -> str:
    return f"{number:,}"


def _mean(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f} ms"
