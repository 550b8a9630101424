from pathlib import Path

import pytest

from heartline import run_directory
from heartline.run_directory import (
    LONGEST_BELOW,
    UNIX_SOCKET_BYTES,
    delete_run_dirs,
    fresh_log,
    keep_logs,
    make_run_dir,
    marker_of,
    run_prefix,
)


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run_directory, "_base", lambda: tmp_path)
    return tmp_path


def test_a_run_directory_is_found_by_the_data_directory(base: Path) -> None:
    marker = marker_of(base / "data")

    made = make_run_dir(marker)

    assert str(made).startswith(run_prefix(marker))
    assert made.stat().st_mode & 0o777 == 0o700
    delete_run_dirs(marker_of(base / "other"))
    assert made.exists()
    delete_run_dirs(marker_of(base / "x" / ".." / "data"))
    assert not made.exists()


def test_sockets_fit_below_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("TMPDIR", str(tmp_path / ("long" * 20)))

    assert len(run_prefix("01234567") + "01234567") + LONGEST_BELOW <= UNIX_SOCKET_BYTES


def test_logs_of_the_last_starts_stay(tmp_path: Path) -> None:
    for number in range(8):
        with fresh_log(tmp_path / "logs" / "driver.log") as file:
            file.write(b"%d" % number)

    logs = sorted((tmp_path / "logs").iterdir())

    assert [path.read_text() for path in logs] == ["7", "6", "5", "4", "3"]


def test_only_the_ends_of_rays_logs_are_kept(tmp_path: Path) -> None:
    logs = tmp_path / "run" / "ray" / "session_2026" / "logs"
    (logs / "serve").mkdir(parents=True)
    (logs / "raylet.out").write_bytes(b"a" * 500_000 + b"end")
    (logs / "serve" / "empty.log").touch()
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "old").touch()

    keep_logs(tmp_path / "run", kept)

    assert [path.name for path in kept.rglob("*")] == ["raylet.out"]
    assert (kept / "raylet.out").stat().st_size == 200_000
    assert (kept / "raylet.out").read_bytes().endswith(b"end")
