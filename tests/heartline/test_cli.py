import json
import subprocess
import sys
from pathlib import Path

import pytest

from heartline.cli import main
from heartline.command_parser import parser
from heartline.settings import Settings


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(Settings.__dataclass_fields__):
        monkeypatch.delenv(f"HEARTLINE_{name.upper()}", raising=False)


def test_an_account_is_made_and_gets_a_token_without_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path / "data")]

    assert main([*data, "account", "create", "ann", "--time-zone", "Asia/Kolkata"]) == 0
    listener_id = capsys.readouterr().out.strip()
    assert len(listener_id) == 22

    assert main(["token", "ann", *data]) == 0
    said = capsys.readouterr()
    assert said.out.count(".") == 2
    assert not said.err


def test_json_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--json", "--data", str(tmp_path), "account", "create", "ann"]

    assert main([*command, "--time-zone", "UTC", "--scope", "ingest"]) == 0

    made = json.loads(capsys.readouterr().out)
    assert (made["name"], made["time_zone"], made["scopes"]) == ("ann", "UTC", ["ingest"])


@pytest.mark.parametrize(
    ("arguments", "said", "status"),
    [
        (["account", "create", "ann", "--time-zone", "Mars"], "not a time zone", 2),
        (["account", "create", " ", "--time-zone", "UTC"], "name: wants", 2),
        (["token", "ann"], "holds no store", 1),
        (["minutes", "ann"], "holds no store", 1),
        (["minutes", "ann", "--week", "2026-W54"], "not an ISO week like 2026-W47", 2),
        (["status"], "holds no store", 1),
        (["recount"], "holds no store", 1),
        (["recount", "--week", "x"], "not an ISO week like 2026-W47", 2),
        (["up", "--shards", "none"], "HEARTLINE_SHARDS: wants a whole number", 2),
        (["account", "create", "a", "--time-zone", "UTC", "--password-file", "/no"], "/no", 2),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str],
    said: str,
    status: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*arguments, "--data", str(tmp_path)]) == status

    told = capsys.readouterr()
    assert said in told.err
    assert told.err.startswith("heartline: ")
    assert told.err.count("\n") == 1
    assert not told.out


def test_a_name_is_taken_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create = ["account", "create", "ann", "--time-zone", "UTC", "--data", str(tmp_path)]

    assert main(create) == 0
    assert main(create) == 2
    assert "the name is taken" in capsys.readouterr().err


def test_a_scope_that_the_account_lacks_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["account", "create", "ann", "--time-zone", "UTC", "--data", str(tmp_path)])

    assert main(["token", "ann", "--scope", "operator", "--data", str(tmp_path)]) == 1
    assert "ann may not act as operator" in capsys.readouterr().err


def test_a_variable_that_means_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEARTLINE_SHARD", "3")

    main(["status", "--data", str(tmp_path)])

    assert "HEARTLINE_SHARD is no setting" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["up", "--nonsense"], ["account"]])
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2


def test_every_setting_is_a_flag_of_up() -> None:
    flags = {f"--{name.replace('_', '-')}" for name in Settings.__dataclass_fields__}

    for flag in flags - {"--new-generation"}:
        assert parser().parse_args(["up", flag, "1"])
    assert parser().parse_args(["up", "--new-generation"]).new_generation == "1"


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; import heartline.cli as c; c.parser().format_help(); print(*sys.modules)"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    heavy = {"ray", "numpy", "pyarrow", "numba", "httpx", "rich", "starlette", "msgspec"}
    assert heavy & set(said.stdout.split()) == set()
