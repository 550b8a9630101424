import asyncio
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.catalogue import EntityKind
from heartline import wiring
from heartline.cli import main
from heartline.importing import importer
from heartline.importing.publishing import publish
from heartline.settings import Settings
from heartline.synthetic.catalogue import synthetic_catalogue
from stores.catalogue import Catalogue
from tests.real_data import real

MAP = (
    "id=track_id,title=track_name,artist=track_artist,album=track_album_name,"
    "release_date=track_album_release_date,popularity=track_popularity,genres=playlist_genre"
)
CSV = """\
id,title,artist,album,duration_ms,isrc,release_date
1,One,Ann|Bob,First,61000,USRC17607839,1999
2,,Ann,First,61000,,
3,Three,,First,61000,,
4,Four,Ann,First,0,,
5,Five,Ann,First,abc,,
6,Six,Ann,First,61000,us-rc1-76-07839,
7,Seven,Ann,First,61000,,31.12.1999
8,Eight,Ann,Second,61000,,2000-02
"""
REFUSED = {
    "artist: invalid": 1,
    "duration_ms: invalid": 2,
    "isrc: taken": 1,
    "release_date: invalid": 1,
    "title: invalid": 1,
}

Run = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(Settings.__dataclass_fields__):
        monkeypatch.delenv(f"HEARTLINE_{name.upper()}", raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str, status: int = 0) -> dict[str, Any]:
        assert main(["catalogue", *arguments, "--json", "--data", str(data)]) == status
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return run


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "catalogue.csv"
    path.write_text(CSV)
    return path


def standing(data: Path) -> dict[EntityKind, set[str]]:
    async def read() -> dict[EntityKind, set[str]]:
        async with wiring.store(wiring.settings(data)) as tables:
            catalogue = Catalogue(tables)
            return {
                kind: {one.entity.name async for part in catalogue.slices(kind) for one in part}
                for kind in EntityKind
            }

    return asyncio.run(read())


def test_what_can_be_taken_is_imported_and_the_rest_told(run: Run, csv: Path, data: Path) -> None:
    assert run("import", str(csv)) == {
        "rows": 8,
        "artists": 2,
        "albums": 2,
        "tracks": 2,
        "unchanged": 0,
        "rejected": REFUSED,
    }
    assert standing(data) == {
        EntityKind.ARTIST: {"Ann", "Bob"},
        EntityKind.ALBUM: {"First", "Second"},
        EntityKind.TRACK: {"One", "Eight"},
    }


def test_what_is_refused_is_told_with_its_line(
    csv: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["catalogue", "import", str(csv), "--data", str(data)])

    said = capsys.readouterr()
    assert said.out == (
        "8 rows: 2 artists, 2 albums, 2 tracks new or changed, 0 as before, 6 refused.\n"
    )
    assert f"heartline: {csv}:3: title is required\n" in said.err
    assert f"heartline: {csv}:7: isrc: USRC17607839 is that of the track 1\n" in said.err
    assert said.err.count("\n") == 6


def test_the_same_file_twice_changes_nothing(run: Run, csv: Path, data: Path) -> None:
    run("import", str(csv))
    before = (data / wiring.CATALOGUE_FILE).read_bytes()

    again = run("import", str(csv))

    assert (again["unchanged"], again["artists"], again["albums"], again["tracks"]) == (6, 0, 0, 0)
    assert (data / wiring.CATALOGUE_FILE).read_bytes() == before


def test_a_dry_run_makes_nothing(run: Run, csv: Path, data: Path) -> None:
    assert run("import", str(csv), "--dry-run")["tracks"] == 2
    assert not data.exists()

    run("import", str(csv))
    assert run("import", str(csv), "--dry-run")["unchanged"] == 6


def test_an_import_that_was_interrupted_goes_on(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_text("title,artist\n" + "".join(f"T{number},A\n" for number in range(9)))
    monkeypatch.setattr(importer, "BATCH", 2)
    batches = iter(range(3))

    async def publish_thrice(*arguments: Any) -> None:
        if next(batches, None) is None:
            raise KeyboardInterrupt
        await publish(*arguments)

    monkeypatch.setattr(importer, "publish", publish_thrice)
    assert run("import", str(path), status=1)["tracks"] == 4
    monkeypatch.setattr(importer, "publish", publish)

    rest = run("import", str(path))

    assert (rest["tracks"], rest["unchanged"]) == (5, 5)
    assert standing(data)[EntityKind.TRACK] == {f"T{number}" for number in range(9)}


def test_a_damaged_file_among_others_changes_nothing(
    csv: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "damaged.csv.gz"
    damaged.write_bytes(gzip.compress(CSV.encode())[:-9])

    assert main(["catalogue", "import", str(csv), str(damaged), "--data", str(data)]) == 2

    assert f"{damaged}: is a damaged archive" in capsys.readouterr().err
    assert not data.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "nowhere.csv"], "nowhere.csv: No such file"),
        (["import", "nowhere.csv", "--map", "name=x"], "--map 'name' is none of our columns"),
        (["generate", "1", "--to", "/nowhere/c.parquet"], "cannot write /nowhere/c.parquet"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], said: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["catalogue", *arguments, "--data", str(data)]) in {1, 2}

    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1


def test_when_every_row_is_refused_that_is_a_failure(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.csv"
    path.write_text("title,artist\n,A\n")

    assert run("import", str(path), status=1)["rejected"] == {"title: invalid": 1}


def test_a_catalogue_that_is_made_is_the_same_again(run: Run) -> None:
    made = run("generate", "600", "--seed", "3")

    assert (made["rows"], made["tracks"], made["unchanged"]) == (600, 600, 0)
    assert run("generate", "600", "--seed", "3")["tracks"] == 0
    assert run("generate", "700", "--seed", "3")["tracks"] == 100


def test_a_file_that_is_made_is_a_catalogue(run: Run, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "made.parquet"
    (block,) = synthetic_catalogue(600, seed=3)

    assert run("generate", "600", "--seed", "3", "--to", str(path)) == {
        "rows": 600,
        "file": str(path),
    }
    assert not data.exists()
    imported = run("import", str(path))

    assert (imported["rows"], imported["tracks"], imported["rejected"]) == (600, 600, {})
    assert (imported["artists"], imported["albums"]) == (len(block.artists), len(block.albums))
    assert set(tmp_path.iterdir()) == {path, data}


@pytest.mark.parametrize("tracks", ["0", "-1", "x", "1000000001"])
def test_only_some_tracks_can_be_made(tracks: str, data: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["catalogue", "generate", tracks, "--data", str(data)])

    assert ended.value.code == 2


def test_playlists_of_spotify_can_be_imported(run: Run) -> None:
    path = real("spotify_songs/spotify_songs.csv.gz")

    imported = run("import", str(path), "--map", MAP, "--dry-run")

    assert (imported["rows"], imported["tracks"]) == (32_833, 28_352)
    assert imported["rejected"] == {"title: invalid": 5}


def test_chinook_is_imported(run: Run) -> None:
    imported = run("import", str(real("chinook/Chinook_Sqlite.sqlite")))

    assert (imported["artists"], imported["albums"], imported["tracks"]) == (204, 347, 3_503)
    assert imported["rejected"] == {}
    assert run("import", str(real("chinook/Chinook_Sqlite.sqlite")))["unchanged"] == 4_054


def test_tagged_files_are_imported(run: Run) -> None:
    imported = run("import", str(real("tagged_files")))

    assert imported["rows"] == 81
    assert imported["rejected"] == {
        "artist: invalid": 3,
        "duration_ms: invalid": 1,
        "not_audio": 13,
        "title: invalid": 39,
    }
