import errno
import os
from pathlib import Path

import pytest

from heartline.importing.rows import Fault, Row
from heartline.importing.sources import rows_of
from tests.real_data import real

CONTAINERS = [
    "aiff",
    "alac.m4a",
    "ape",
    "dsf",
    "flac",
    "m4a",
    "mp3",
    "mpc",
    "ogg",
    "opus",
    "wma",
    "wv",
]


@pytest.mark.parametrize("container", CONTAINERS)
def test_tags_are_read_from_every_container(container: str) -> None:
    (row,) = rows_of(real(f"tagged_files/full.{container}"), {})

    assert isinstance(row, Row)
    assert (row.title, row.artists, row.album) == ("full", ("the artist",), "the album")
    assert (row.disc_number, row.track_number, row.released) == (4, 2, "2001")
    assert row.genres == ("the genre",)
    assert row.duration_ms


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_file_without_tags_is_a_row_without_a_title(container: str) -> None:
    (row,) = rows_of(real(f"tagged_files/empty.{container}"), {})

    assert isinstance(row, Row)
    assert (row.title, row.artists, row.album) == ("", (), "")


@pytest.mark.parametrize(
    ("name", "released"),
    [
        ("date.mp3", "1987-03-31"),
        ("t_time.m4a", "1987-03-31"),
        ("space_time.mp3", "2009-09-04"),
        ("date_with_slashes.ogg", "2005-06-05"),
        ("year.ogg", "2000"),
        ("image-jpeg.mp3", ""),
        ("unparseable.flac", "Oct 3, 1995"),
    ],
)
def test_dates_are_read_as_they_are_written(name: str, released: str) -> None:
    (row,) = rows_of(real(f"tagged_files/{name}"), {})

    assert isinstance(row, Row)
    assert row.released == released


def test_the_artist_of_an_album_may_be_another() -> None:
    (row,) = rows_of(real("tagged_files/full.mp3"), {})

    assert isinstance(row, Row)
    assert row.album_artists == ("the album artist",)


def test_every_file_of_a_folder_is_a_row_or_a_fault() -> None:
    folder = real("tagged_files")

    found = list(rows_of(folder, {}))

    assert [Path(one.where) for one in found] == sorted(folder.iterdir())
    faults = [one for one in found if isinstance(one, Fault)]
    assert {fault.summary for fault in faults} == {"not_audio"}
    assert {Path(fault.where).suffix for fault in faults} == {
        "", ".jpg", ".m3u", ".m3u8", ".png", ".tiff",
    }  # fmt: skip


def test_what_is_no_audio_file_is_a_fault_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "empty.mp3").touch()
    (tmp_path / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "gone.ogg").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.mp3")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "truncated.flac").write_bytes(b"fLaC\0\0\0\x22")

    found = {Path(one.where).name: one for one in rows_of(tmp_path, {})}

    assert {name: one.reason for name, one in found.items() if isinstance(one, Fault)} == {
        "cover.jpg": "not_audio",
        "empty.mp3": "unreadable",
        "gone.ogg": "unreadable",
        "pipe.mp3": "not_audio",
        "truncated.flac": "unreadable",
    }


def test_a_folder_that_cannot_be_read_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "closed", "shut", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "empty.mp3").touch()
    scandir = os.scandir

    def guarded(path: Path | str) -> object:  # who tests may be root, who may read all
        if Path(path).name in {"closed", "shut"}:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = list(rows_of(tmp_path, {}))

    assert [str(Path(one.where).relative_to(tmp_path)) for one in found] == [
        "a/empty.mp3",
        "closed",
        "shut",
        "z/empty.mp3",
    ]
    assert "closed: cannot be read: Permission denied" in str(found[1])


def test_a_broken_copy_of_any_file_is_a_row_or_a_fault(tmp_path: Path) -> None:
    for original in sorted(real("tagged_files").glob("full.*")):
        whole = original.read_bytes()
        for kept in (1, 4, 30, 100, 1_000, len(whole) // 2):
            copy = tmp_path / f"{kept}-{original.name}"
            copy.write_bytes(whole[:kept])

    assert len(list(rows_of(tmp_path, {}))) == 6 * len(CONTAINERS)
