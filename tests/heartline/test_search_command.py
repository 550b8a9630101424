"""`heartline search` and `heartline search check`, without an `up`."""

import asyncio
import json
from pathlib import Path

import pytest

from domain.catalogue import Artist, EntityKind, Track
from domain.search import Entry
from heartline.catalogues import changing
from heartline.cli import main
from heartline.searching import open_writer
from heartline.settings import Settings
from heartline.wiring import store


async def shelve(settings: Settings, *more: Track) -> None:
    async with (
        store(settings, make=True) as tables,
        changing(settings, tables, still_s=0.0) as change,
    ):
        await change.publish(
            [
                Artist("nina", "Nina Simone"),
                Track("good", "Feeling Good", ("nina",), popularity=60),
                *more,
            ]
        )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    asyncio.run(shelve(Settings(tmp_path)))
    return tmp_path


def test_what_was_imported_is_found(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["search", "--data", str(data), "feelng", "good", "--type", "track"])
    shown = capsys.readouterr().out.splitlines()

    assert status == 0
    assert [line.split()[0] for line in shown if "Feeling Good" in line] == ["track"]


def test_the_parts_of_a_score_are_explained(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["search", "--data", str(data), "nina", "--explain"])
    shown = capsys.readouterr().out

    assert all(part in shown for part in ("likeness", "popularity", "recency", "taste"))


def test_ids_can_be_copied_from_a_narrow_terminal(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entity_id = "4uLU6hMCjMI75M1A2tKUQC"
    asyncio.run(shelve(Settings(data), Track(entity_id, "Feeling " * 30, ("nina",))))
    monkeypatch.setenv("COLUMNS", "60")

    main(["search", "--data", str(data), "--explain", "feeling", "--type", "track"])

    assert entity_id in capsys.readouterr().out


def test_machines_get_what_the_endpoint_answers(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["search", "--data", str(data), "--json", "--explain", "--type", "track", "feeling"])
    told = json.loads(capsys.readouterr().out)

    assert [track["id"] for track in told["tracks"]["items"]] == ["good"]
    assert [one["id"] for one in told["explained"]] == ["good"]
    assert set(told["explained"][0]["parts"]) >= {"likeness", "popularity"}


def test_nothing_found_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--data", str(data), "--query", "check"]) == 0
    assert capsys.readouterr().out == "nothing is found\n"


def test_what_may_be_meant_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["search", "--data", str(data), "nena", "--type", "album"])
    assert capsys.readouterr().out == "nothing is found; did you mean 'nina'?\n"


def test_playlists_can_be_asked_for_as_at_the_endpoint(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["search", "--data", str(data), "--json", "--type", "playlist,artist", "nina"])
    told = json.loads(capsys.readouterr().out)

    assert (told["playlists"]["items"], len(told["artists"]["items"])) == ([], 1)


@pytest.mark.parametrize(
    "wrong", [[], ["--query", " "], ["nina", "--type", "song"], ["nina", "--limit", "0"]]
)
def test_wrong_usage_is_told(data: Path, wrong: list[str]) -> None:
    assert main(["search", "--data", str(data), *wrong]) == 2


def test_a_check_finds_and_repairs(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def disturb() -> None:
        writer = open_writer(Settings(data))
        await writer.write(
            [Entry(kind=EntityKind.ALBUM, id="none", name="None")], [(EntityKind.TRACK, "good")]
        )
        await writer.commit()
        await writer.close()

    check = ["search", "check", "--data", str(data), "--json"]
    statuses = [main(check)]
    asyncio.run(disturb())
    statuses += [main(check), main([*check, "--repair"]), main(check)]
    told = [json.loads(line)["differences"] for line in capsys.readouterr().out.splitlines()]

    assert statuses == [0, 1, 0, 0]
    assert told[0] == told[3] == []
    assert (
        told[1]
        == told[2]
        == [
            {"kind": "album", "id": "none", "what": "left over"},
            {"kind": "track", "id": "good", "what": "missing"},
        ]
    )
