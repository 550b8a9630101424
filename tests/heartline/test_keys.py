from pathlib import Path

import pytest

from heartline.keys import secret, signing_key
from heartline.terminal import Failure
from serve.tokens import load_signing_key


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = signing_key(tmp_path / "data")

    assert signing_key(tmp_path / "data") == first
    assert load_signing_key(first)
    folder = tmp_path / "data" / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]


def test_whoever_comes_first_decides(tmp_path: Path) -> None:
    def late() -> bytes:
        secret(tmp_path, "name", lambda: b"first")
        return b"second"

    assert secret(tmp_path, "name", late) == b"first"
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["name"]


def test_a_directory_that_cannot_be_used_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("a file")

    with pytest.raises(Failure, match="cannot use"):
        signing_key(tmp_path)
