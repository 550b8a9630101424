"""`heartline playlist show`, `export` and `import`, with a small server in the place of `up`."""

import asyncio
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.playlist_files import FileTrack, PlaylistFile
from domain.playlist_formats import PlaylistFormat, parse, render
from heartline import wiring
from heartline.cli import main
from heartline.settings import Settings
from tests.heartline.playlist_server import PlaylistServer, served, track_object

GOOD = track_object("good", "Feeling Good", "Nina Simone", isrc="USPR36500003", album="Spell")
HELP = track_object("help", "Help! - Remastered 2009", "The Beatles", isrc="GBAYE0601690")
PRESSURE = track_object("pressure", "Under Pressure", "Queen", "David Bowie")

LIST = """\
#EXTM3U
#PLAYLIST:Road trip
#EXTINF:174,Nina Simone - Feeling Good
/music/good.mp3
#EXTINF:1,Nobody - Nothing
/music/nothing.mp3
#EXTINF:248,Queen, David Bowie - Under Pressure
http://radio.example/pressure
#EXTINF:180,Muse - Feeling Good
/music/muse.mp3
/music/unnamed.mp3
heartline:track:unheard
spotify:track:elsewhere
"""

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(Settings.__dataclass_fields__):
        monkeypatch.delenv(f"HEARTLINE_{name.upper()}", raising=False)


@pytest.fixture
def data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    data = tmp_path / "data"
    for name in ("ann", "bob"):
        main(["account", "create", name, "--time-zone", "UTC", "--data", str(data)])
    capsys.readouterr()
    return data


@pytest.fixture
def server(data: Path) -> Iterator[PlaylistServer]:
    server = PlaylistServer(data, [GOOD, HELP, PRESSURE])
    with served(server):
        yield server


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command, and tell what it printed."""

    def run(*arguments: str, status: int = 0) -> str:
        assert main(["playlist", *arguments, "--data", str(data)]) == status
        return capsys.readouterr().out

    return run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "list.m3u8"
    path.write_text(LIST)
    return path


def named(count: int) -> str:
    return "".join(f"heartline:track:t{number}\n" for number in range(count))


# ── show ──


def test_a_playlist_is_shown_with_all_its_tracks(server: PlaylistServer, run: Run) -> None:
    playlist_id = server.make("Road [bold]trip", description="for the [red]road", public=True)
    server.add(playlist_id, GOOD, HELP, PRESSURE, GOOD)
    server.add(playlist_id, None, by="4uLU6hMCjMI75M1A2tKUQC")

    lines = run("show", playlist_id).splitlines()

    assert lines[:4] == [
        "Road [bold]trip",
        "by Ann · 5 tracks · 0.2 hours · 2 followers · public",
        "for the [red]road",
        "heartline:playlist:playlist0",
    ]
    assert lines[5].split() == [
        "#",
        "title",
        "artists",
        "album",
        "length",
        *("added", "at", "added", "by"),
    ]
    rows = [line.split() for line in lines[6:] if line[0].isdigit()]
    assert rows[0] == [
        *("1", "Feeling", "Good", "Nina", "Simone", "Spell", "3:20", "2026-11-21", "Ann")
    ]
    assert [row[0] for row in rows] == list("12345")
    assert rows[4] == ["5", "(cannot", "be", "shown)", "2026-11-21", "4uLU6hM…"]


@pytest.mark.parametrize("columns", [80, 200])
def test_eighty_columns_are_enough(
    server: PlaylistServer, run: Run, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    playlist_id = server.make("Long " * 30)
    title = "Supercalifragilisticexpialidocious, all of it, " * 3
    server.add(
        playlist_id, *[track_object("x", title, "Some Artist " * 5, album="Album " * 9)] * 99
    )
    server.items[playlist_id][-1]["track"] = GOOD | {"duration_ms": 36_000_000}

    shown = run("show", playlist_id)

    assert max(map(len, shown.splitlines())) <= columns
    assert "10:00:00" in shown
    assert "…" not in shown


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_an_empty_playlist_is_shown(server: PlaylistServer, run: Run, as_json: list[str]) -> None:
    assert "Empty" in run("show", server.make("Empty"), *as_json)


def test_machines_get_all_items_on_one_page(server: PlaylistServer, run: Run) -> None:
    playlist_id = server.make("Road trip")
    server.add(playlist_id, *[GOOD] * 250)

    told = json.loads(run("show", f"heartline:playlist:{playlist_id}", "--json"))

    assert (told["name"], told["total"], len(told["items"])) == ("Road trip", 250, 250)
    assert told["items"][249]["track"]["id"] == "good"
    assert "tracks" not in told


def test_a_playlist_that_changes_meanwhile_is_read_again(server: PlaylistServer, run: Run) -> None:
    playlist_id = server.make("Road trip")
    server.add(playlist_id, *[GOOD] * 5)

    def remove_once() -> None:
        if len(server.items[playlist_id]) == 5:
            server.items[playlist_id].pop(0)

    server.on_page = remove_once

    assert json.loads(run("show", playlist_id, "--json"))["total"] == 4


def test_a_playlist_that_always_changes_cannot_be_shown(
    server: PlaylistServer, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    playlist_id = server.make("Road trip")
    server.add(playlist_id, *[GOOD] * 5)
    server.on_page = lambda: server.add(playlist_id, GOOD)

    assert main(["playlist", "show", playlist_id, "--data", str(data)]) == 1
    assert "is being changed" in capsys.readouterr().err


async def listener_id(data: Path, name: str) -> str:
    async with wiring.store(wiring.settings(data)) as tables:
        account = await wiring.accounts(tables).by_name(name)
    assert account
    return account.listener_id


@pytest.mark.parametrize(
    ("arguments", "name", "scopes"),
    [(["--as", "bob"], "bob", ("listener",)), ([], "heartline command line", ("operator",))],
)
def test_it_is_shown_to_who_asks(
    server: PlaylistServer, run: Run, arguments: list[str], name: str, scopes: tuple[str, ...]
) -> None:
    run("show", server.make("Road trip"), *arguments)

    assert set(server.callers) == {(asyncio.run(listener_id(server.data, name)), scopes)}


# ── export ──


@pytest.mark.parametrize("written_as", PlaylistFormat)
def test_an_exported_playlist_can_be_read(
    server: PlaylistServer, run: Run, written_as: PlaylistFormat
) -> None:
    playlist_id = server.make("Road trip", description="for the road")
    server.add(playlist_id, GOOD, PRESSURE, HELP, GOOD)

    exported = parse(run("export", playlist_id, "--format", written_as).encode(), written_as)

    assert [track.uri.rpartition(":")[2] for track in exported.tracks] == [
        *("good", "pressure", "help", "good")
    ]
    if written_as is not PlaylistFormat.M3U8:
        assert (exported.title, exported.description) == ("Road trip", "for the road")
        assert exported.tracks[:2] == (
            FileTrack(
                "heartline:track:good",
                "Feeling Good",
                ("Nina Simone",),
                "Spell",
                200_000,
                "USPR36500003",
                1,
            ),
            FileTrack(
                "heartline:track:pressure",
                "Under Pressure",
                ("Queen", "David Bowie"),
                "",
                200_000,
                "",
                1,
            ),
        )


@pytest.mark.parametrize(
    ("arguments", "begun"),
    [([], "#EXTM3U\n"), (["--format", "xspf"], "<?xml"), (["--json"], '{\n  "playlist"')],
)
def test_standard_output_has_the_file_and_nothing_else(
    server: PlaylistServer, run: Run, arguments: list[str], begun: str
) -> None:
    assert run("export", server.make("Empty"), *arguments).startswith(begun)


@pytest.mark.parametrize(
    ("arguments", "begun"),
    [
        (["a.xspf"], b"<?xml"),
        (["a.JSPF"], b"{"),
        (["a.m3u"], b"#EXTM3U"),
        (["a.xspf", "--format", "m3u8"], b"#EXTM3U"),
        (["a", "--format", "jspf"], b"{"),
    ],
    ids=str,
)
def test_the_format_is_that_of_the_name(
    server: PlaylistServer, run: Run, tmp_path: Path, arguments: list[str], begun: bytes
) -> None:
    name, *more = arguments
    path = tmp_path / name
    playlist_id = server.make("Road trip")
    server.add(playlist_id, GOOD)

    assert run("export", playlist_id, "--output", str(path), *more) == (
        f"Road trip: 1 track in {path}.\n"
    )
    assert path.read_bytes().startswith(begun)
    assert {each.name for each in tmp_path.iterdir()} == {"data", name}


def test_machines_are_told_what_was_written(
    server: PlaylistServer, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "a.xspf"

    assert json.loads(run("export", server.make("Empty"), "--output", str(path), "--json")) == {
        "id": "playlist0",
        "name": "Empty",
        "file": str(path),
        "format": "xspf",
        "tracks": 0,
    }


def test_a_file_that_is_there_stays_unless_forced(
    server: PlaylistServer, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "a.xspf"
    path.write_text("mine")
    command = ["export", server.make("Empty"), "--output", str(path)]

    run(*command, status=1)
    assert path.read_text() == "mine"

    run(*command, "--force")
    assert "Empty" in path.read_text()


def test_what_cannot_be_shown_any_more_is_left_out_and_told(
    server: PlaylistServer, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    playlist_id = server.make("Road trip")
    server.add(playlist_id, GOOD, None)

    assert main(["playlist", "export", playlist_id, "--data", str(data)]) == 0

    told = capsys.readouterr()
    assert told.out.count("heartline:track:") == 1
    assert "1 of 2 tracks cannot be shown any more" in told.err


# ── import ──


def test_a_file_becomes_a_playlist(
    server: PlaylistServer, data: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["playlist", "import", str(file), "--as", "ann", "--data", str(data)]) == 0

    told = capsys.readouterr()
    assert told.out == "Road trip (heartline:playlist:playlist0): 4 tracks added, 3 not found.\n"
    assert told.err.splitlines() == [
        f"heartline: {file}: line 5: Nobody - Nothing: it is not in the catalogue",
        f"heartline: {file}: line 9: Muse - Feeling Good: it is not in the catalogue",
        f"heartline: {file}: line 11: /music/unnamed.mp3: "
        "the file names neither artist and title nor an ISRC",
    ]
    assert server.uris("playlist0") == [
        f"heartline:track:{track}" for track in ("good", "pressure", "unheard", "elsewhere")
    ]
    assert server.playlists["playlist0"]["public"] is False
    assert len(set(server.keys)) == len(server.keys) == 2


def test_machines_are_told_what_is_missing(server: PlaylistServer, run: Run, file: Path) -> None:
    told = json.loads(run("import", str(file), "--as", "ann", "--json"))

    assert (told["id"], told["name"], told["added"]) == ("playlist0", "Road trip", 4)
    assert [one["place"] for one in told["missing"]] == ["line 5", "line 9", "line 11"]
    assert told["missing"][0] == {
        "place": "line 5",
        "title": "Nothing",
        "artist": "Nobody",
        "reason": "it is not in the catalogue",
    }


def test_name_and_audience_can_be_said(server: PlaylistServer, run: Run, file: Path) -> None:
    run("import", str(file), "--as", "ann", "--name", "Mine", "--public")

    assert server.playlists["playlist0"]["name"] == "Mine"
    assert server.playlists["playlist0"]["public"] is True


@pytest.mark.parametrize("written_as", PlaylistFormat)
def test_what_was_exported_comes_back(
    server: PlaylistServer, run: Run, tmp_path: Path, written_as: PlaylistFormat
) -> None:
    path = tmp_path / "list"  # known by how it begins
    playlist_id = server.make("Road trip")
    server.add(playlist_id, *[GOOD, HELP, PRESSURE] * 67)

    run("export", playlist_id, "--format", written_as, "--output", str(path))
    run("import", str(path), "--as", "ann")

    assert server.uris("playlist1") == server.uris(playlist_id)


def test_an_isrc_finds_what_is_called_otherwise_in_the_file(
    server: PlaylistServer, run: Run, tmp_path: Path
) -> None:
    tracks = [
        FileTrack(title="Help! (Stereo)", artists=("The Beatles",), isrc="GBAYE0601690"),
        FileTrack(isrc="USPR36500003"),
        FileTrack(title="Under Pressure", artists=("Queen",), isrc="GBAYE0601690"),
        FileTrack(title="Yesterday", artists=("The Beatles",), isrc="GBAYE0601690"),
    ]
    path = tmp_path / "list.xspf"
    path.write_bytes(render(PlaylistFile(tracks=tuple(tracks)), PlaylistFormat.XSPF))

    told = json.loads(run("import", str(path), "--as", "ann", "--json"))

    assert [uri.rpartition(":")[2] for uri in server.uris("playlist0")] == [
        "help",
        "good",
        "pressure",
    ]
    assert [one["reason"] for one in told["missing"]] == [
        "only others are found, like The Beatles - Help! - Remastered 2009"
    ]


@pytest.mark.parametrize("into", [False, True], ids=["new", "into"])
def test_a_dry_run_makes_nothing(server: PlaylistServer, run: Run, file: Path, into: bool) -> None:
    more = ["--into", server.make("Road trip")] if into else []

    told = json.loads(run("import", str(file), "--dry-run", "--json", *more))

    assert (told["id"], told["added"], len(told["missing"])) == (
        "playlist0" if into else None,
        4,
        3,
    )
    assert [asked for asked in server.asked if asked.startswith("POST")] == []
    assert "4 tracks would be added, 3 not found" in run("import", str(file), "--dry-run")


def test_when_nothing_is_found_no_playlist_is_made(
    server: PlaylistServer, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("a.mp3\nb.mp3\n")

    assert main(["playlist", "import", str(path), "--as", "ann", "--data", str(data)]) == 1

    told = capsys.readouterr()
    assert told.out == "list: 0 tracks added, 2 not found.\n"
    assert "no playlist is made" in told.err
    assert server.playlists == {}


def test_an_empty_file_is_an_empty_playlist(
    server: PlaylistServer, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n")

    run("import", str(tmp_path / "list.m3u8"), "--as", "ann")

    assert server.playlists["playlist0"]["name"] == "list"


@pytest.mark.parametrize("count", [99, 100, 101, 250])
def test_tracks_are_added_a_hundred_at_a_time(
    server: PlaylistServer, run: Run, tmp_path: Path, count: int
) -> None:
    (tmp_path / "list.m3u8").write_text(named(count))

    run("import", str(tmp_path / "list.m3u8"), "--as", "ann")

    assert server.uris("playlist0") == named(count).splitlines()
    assert len(server.keys) == 1 + (count + 99) // 100


def test_tracks_that_the_server_refuses_are_missing_and_the_rest_is_added(
    server: PlaylistServer, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "list.m3u8").write_text(named(150))
    server.unknown = {f"heartline:track:t{number}" for number in (0, 7, 8, 149)}

    told = json.loads(run("import", str(tmp_path / "list.m3u8"), "--as", "ann", "--json"))

    assert told["added"] == 146
    assert [one["place"] for one in told["missing"]] == ["line 1", "line 8", "line 9", "line 150"]
    assert {one["reason"] for one in told["missing"]} == {"there is no such track"}
    assert server.uris("playlist0") == [
        uri for uri in named(150).splitlines() if uri not in server.unknown
    ]


def test_an_import_that_was_interrupted_can_go_on(
    server: PlaylistServer, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text(named(250))
    server.most_items = 200
    server.unknown = {"heartline:track:t7"}
    command = ["playlist", "import", str(path), "--as", "ann", "--data", str(data)]

    assert main(command) == 1

    told = capsys.readouterr()
    assert told.out == "list (heartline:playlist:playlist0): 199 tracks added, 1 not found.\n"
    assert "the playlist is full" in told.err
    assert f"`heartline playlist import {path} --as ann --into playlist0` goes on" in told.err

    server.most_items = 10_000
    assert main([*command, "--into", "playlist0", "--json"]) == 0

    again = json.loads(capsys.readouterr().out)
    assert (again["added"], [one["place"] for one in again["missing"]]) == (50, ["line 8"])
    assert server.uris("playlist0") == [
        uri for uri in named(250).splitlines() if uri not in server.unknown
    ]
    assert len(set(server.keys)) == len(server.keys)


def test_another_playlist_is_not_gone_on_with(
    server: PlaylistServer, data: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    playlist_id = server.make("Other")
    server.add(playlist_id, HELP)
    command = ["playlist", "import", str(file), "--as", "ann", "--data", str(data)]

    assert main([*command, "--into", playlist_id]) == 1

    assert "has other tracks than the file" in capsys.readouterr().err
    assert server.uris(playlist_id) == ["heartline:track:help"]


def test_a_playlist_can_come_from_standard_input(
    server: PlaylistServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"#EXTM3U\n")))

    run("import", "-", "--as", "ann")

    assert server.playlists["playlist0"]["name"] == "Playlist"


# ── what goes wrong ──


@pytest.mark.parametrize(
    ("arguments", "said", "status"),
    [
        (["show", "none"], "the server refuses (404): there is no such playlist", 1),
        (["show", "heartline:track:x"], "is no playlist", 2),
        (["show", ""], "is no playlist", 2),
        (["show", "x", "--as", "nobody"], "no account is named 'nobody'", 1),
        (["export", "x", "--output", "/nowhere/a.xspf"], "the server refuses (404)", 1),
        (["export", "playlist0", "--output", "/nowhere/a.xspf"], "cannot write /nowhere/a.xspf", 1),
        (["export", "playlist0", "--output", "/nowhere/a"], "say with --format", 2),
        (["export", "playlist0", "--json", "--format", "xspf"], "--json wants JSPF", 2),
        (["import", "/nowhere", "--as", "ann"], "cannot read /nowhere: No such file", 2),
        (["import", "/nowhere"], "say with --as NAME", 2),
        (["import", "/x", "--as", "ann", "--into", "x", "--public"], "no --public", 2),
        (["import", "/dev/null", "--as", "ann"], "say its --format", 2),
        (["import", "/dev/null", "--as", "ann", "--format", "xspf"], "line 1: no element", 2),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    server: PlaylistServer,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
    status: int,
) -> None:
    server.make("Road trip")

    assert main(["playlist", *arguments, "--data", str(server.data)]) == status

    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert not told.out


def test_without_a_server_it_says_what_to_do(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["playlist", "show", "x", "--data", str(data)]) == 1
    assert f"no `heartline up` runs on {data}: start it" in capsys.readouterr().err
