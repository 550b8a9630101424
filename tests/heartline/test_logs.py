"""Log lines: their form, what they know, and that no secret gets into them."""

import io
import json
import logging
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heartline import wiring
from heartline.logs import BLOT, OURS, JsonFormatter, TextFormatter, begin_logs, hide_secrets
from heartline.settings import Settings
from serve.request_ids import current
from serve.tokens import Tokens
from tests.serve.world import new_key

PASSWORD = "correct-horse-battery"
JWT = Tokens(new_key(), now_ms=wiring.now_ms).sign("ann", ["listener"])
OPAQUE = wiring.new_secret()


def record(message: str, *arguments: object, **known: object) -> logging.LogRecord:
    made = logging.LogRecord("actors.partition", 30, "p.py", 1, message, arguments, None)
    made.created = 1_795_000_000.25
    made.__dict__.update(known)
    return made


def test_a_line_of_json_has_everything_that_is_known() -> None:
    current.set("r-1")

    line = JsonFormatter({"role": "shard", "shard": 1}).format(
        record("waits: %s", "away", partition=3, offset=811)
    )

    assert json.loads(line) == {
        "ts": "2026-11-18T11:06:40.250Z",
        "level": "WARNING",
        "role": "shard",
        "shard": 1,
        "logger": "actors.partition",
        "message": "waits: away",
        "request_id": "r-1",
        "partition": 3,
        "offset": 811,
    }


def test_a_line_for_people_has_it_too() -> None:
    current.set("")

    line = TextFormatter({"role": "shard", "shard": 1}).format(
        record("waits: %s", "away", partition=3, offset=811)
    )

    assert line.endswith(" WARNING actors.partition waits: away shard=1 partition=3 offset=811")


def test_a_traceback_is_one_field_of_the_line() -> None:
    raised = None
    try:
        int(f"token={JWT}")
    except ValueError:
        raised = sys.exc_info()
    failed = record("broken")
    failed.exc_info = raised

    line = JsonFormatter({"role": "main"}).format(failed)

    assert "\n" not in line
    assert "Traceback" in json.loads(line)["exception"]
    assert JWT not in line


LEAKS = [
    pytest.param(f"Authorization: Bearer {JWT}", JWT, id="bearer"),
    pytest.param(f"asked with {JWT}.", JWT, id="bare-jwt"),
    pytest.param(f"authorization: bearer {OPAQUE}", OPAQUE, id="opaque-bearer"),
    pytest.param(f"refreshed by {OPAQUE}", OPAQUE, id="refresh-token"),
    pytest.param("Basic cHJvbTpwYXNz", "cHJvbTpwYXNz", id="basic"),
    pytest.param(f"kafka://ann:{PASSWORD}@broker:9092/t away", PASSWORD, id="url"),
    pytest.param(f"redis://:{PASSWORD}@host:6379/0", PASSWORD, id="url-without-user"),
    pytest.param("scylla://u:a/b?c@d@host/ks", "a/b?c@d", id="url-with-odd-password"),
    pytest.param(f"password={PASSWORD}", PASSWORD, id="form"),
    pytest.param(f'{{"password": "{PASSWORD}"}}', PASSWORD, id="json"),
    pytest.param(f"{{'new_password': '{PASSWORD}'}}", PASSWORD, id="repr"),
    pytest.param(f"AWS_SECRET_ACCESS_KEY={PASSWORD}", PASSWORD, id="environment"),
    pytest.param(f"sasl_plain_password: {PASSWORD}", PASSWORD, id="option"),
    pytest.param(f"access_token={PASSWORD}&x=1", PASSWORD, id="query"),
]


@pytest.mark.parametrize("form", [TextFormatter, JsonFormatter])
@pytest.mark.parametrize(("message", "secret"), LEAKS)
def test_no_secret_gets_into_a_line(
    message: str, secret: str, form: type[TextFormatter | JsonFormatter]
) -> None:
    as_argument = form({"role": "main"}).format(record("failed: %s", message))
    as_message = form({"role": "main"}).format(record(message.replace("%", "%%")))

    assert secret not in as_argument + as_message
    assert BLOT in as_argument


@pytest.mark.parametrize(
    "message",
    [
        "partition 3 waits: kafka://broker:9092 does not answer",
        "request failed: GET /v1/me",
        "records 811 to 902 are gone",
        "GET http://127.0.0.1:8000/v1/me?week=2026-W47 by ann@example.org",
    ],
)
def test_what_is_no_secret_stays(message: str) -> None:
    assert hide_secrets(message) == message


@given(st.text(max_size=200))
def test_hiding_twice_is_hiding_once(text: str) -> None:
    once = hide_secrets(text)

    assert hide_secrets(once) == once


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_process_begins_its_logs_in_the_form_that_is_asked_for(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = io.StringIO()
    monkeypatch.setattr(sys, "stderr", output)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    ours = {logger: logger.level for logger in map(logging.getLogger, OURS)}
    try:
        begin_logs(
            Settings.from_environ({"HEARTLINE_LOG_FORMAT": form}, {"data": tmp_path}), role="main"
        )
        logging.getLogger("serve.errors").info("ours, %s", f"Bearer {JWT}")
        logging.getLogger("somebody").info("theirs")
        logging.getLogger("somebody").warning("theirs, serious")
    finally:
        root.handlers[:], root.level = before, level
        for logger, was in ours.items():
            logger.setLevel(was)

    lines = output.getvalue().splitlines()
    assert [line.startswith("{") for line in lines] == [form == "json"] * 2
    assert JWT not in output.getvalue()
