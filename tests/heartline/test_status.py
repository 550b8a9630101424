"""`heartline status`, as it looks and as machines read it."""

import json
import time
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from heartline.cli import main
from heartline.figures import figures
from heartline.status_picture import picture
from tests.heartline.test_figures import a_shard, an_ingest
from tests.heartline.test_readiness import House, settled


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    house = House(tmp_path)
    await house.append(0, 30)
    await settled(house)
    status = await house.status()
    yield {**status, "url": "http://h", "figures": figures([an_ingest(1_234), a_shard()])}
    await house.close()


def drawn(told: dict[str, Any], rates: dict[str, float] | None = None, *, width: int = 160) -> str:
    console = Console(width=width, file=StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(picture(told, rates))
    return capture.get()


async def test_the_terminal_shows_what_the_dashboard_shows(told: dict[str, Any]) -> None:
    lines = drawn(told).splitlines()

    (begin,) = [at for at, line in enumerate(lines) if line.startswith("heartbeats ")]
    flows = [line.split()[-1] for line in lines[begin + 1 : begin + 9]]
    assert flows == ["1,235", "1,234", "0", "8", "1", "1", "1", "4"]
    (flushes,) = [line for line in lines if line.startswith("flushes to the store")]
    assert flushes.split()[4:7] == ["1", "2", "8"]
    (requests,) = [line for line in lines if line.startswith("/v1/heartbeats")]
    assert requests.split()[1:3] == ["2", "1"]
    assert [line.split()[0] for line in lines if line.endswith(" s") and "MiB" in line] == [
        "ingest-1",
        "shard-1",
    ]


@pytest.mark.parametrize(
    ("search", "line"),
    [
        ({"engine": "away", "behind_ms": 0}, "search: the engine is away"),
        ({"engine": "ok", "behind_ms": 61_000}, "search: the oldest change waits for the index"),
        ({"engine": "ok", "behind_ms": 0}, ""),
    ],
)
async def test_the_terminal_shows_how_search_is(
    told: dict[str, Any], search: dict[str, Any], line: str
) -> None:
    shown = [each for each in drawn({**told, "search": search}).splitlines() if "search:" in each]

    assert [each[: len(line)] for each in shown] == [line] * bool(line)


async def test_eighty_columns_are_enough(told: dict[str, Any]) -> None:
    names = ("in", "acknowledged", "gathered", "applied", "late", "refused")
    rates = dict.fromkeys((*names, "dead letters", "duplicate records"), 12_345_678.9)

    assert "…" not in drawn(told, rates, width=80)


async def test_rates_are_shown_while_watching(told: dict[str, Any]) -> None:
    names = ("in", "acknowledged", "gathered", "applied", "late", "refused")
    rates = dict.fromkeys((*names, "dead letters", "duplicate records"), 12.34)

    assert "a second" in drawn(told, rates)
    assert "a second" not in drawn(told)


@pytest.mark.parametrize(
    ("ms", "colour"),
    [(119_999, "32m"), (120_000, "33m"), (299_999, "33m"), (300_000, "31m")],
)
async def test_staleness_has_the_colours_of_the_alerts(
    told: dict[str, Any], ms: int, colour: str
) -> None:
    console = Console(width=160, file=StringIO(), color_system="standard", force_terminal=True)
    with console.capture() as capture:
        console.print(picture({**told, "staleness_ms": ms}))

    (line,) = [each for each in capture.get().splitlines() if "readers see" in each]
    assert colour in line


async def test_what_went_wrong_is_text_and_no_markup(told: dict[str, Any]) -> None:
    told["partitions"][0]["trouble"] = "[/red] odd [bold]"

    assert "[/red] odd [bold]" in drawn(told)


async def test_many_partitions_are_cut_to_the_worst_while_watching(told: dict[str, Any]) -> None:
    (one,) = told["partitions"]
    told["partitions"] = [
        {**one, "partition": number, "staleness_ms": number * 1_000} for number in range(64)
    ]

    whole, watched = drawn(told), drawn(told, {})

    assert len(whole.splitlines()) - len(watched.splitlines()) == 64 - 16 - 1
    assert "the 16 of 64 that are farthest behind" in watched


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    house = House(tmp_path)
    await house.append(0, 30)
    await settled(house)
    await house.close()
    return tmp_path


def test_it_is_told_again_and_again_to_machines(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)

    assert main(["status", "--watch", "5", "--json", "--data", str(data)]) == 130

    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["lag"] for each in documents] == [0, 0, 0]
    assert slept == [5.0, 5.0, 5.0]


@pytest.mark.parametrize("seconds", ["0", "-1", "x", "nan", "1e9"])
def test_it_cannot_be_watched_at_any_pace(seconds: str, data: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["status", f"--watch={seconds}", "--data", str(data)])

    assert ended.value.code == 2
