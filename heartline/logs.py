"""Log lines of all processes: text for people or JSON for machines, with ids and without secrets.

``HEARTLINE_LOG_FORMAT=json`` makes each line an object: ``ts, level, logger, message, role``, and where
they are known ``request_id, shard, partition, offset`` and ``exception``. A token, a password, or the
password of a URL never gets in: what looks like one is blotted out in the finished text.
"""

import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from heartline.settings import Settings
from serve.request_ids import current

OURS = ("actors", "heartline", "serve", "stores", "streams")
FIELDS = ("partition", "offset")  # of a record's `extra`
BLOT = "[hidden]"

_SECRETS = (
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.?[\w-]*"),  # a JWT
    re.compile(r"(?i)(?<=\bbearer )\S+|(?<=\bbasic )\S+"),
    # of a URL; bounded, or a long line without an @ would take long
    re.compile(
        r"(?<=://)[^\s/\"'<>@]{0,400}(?=@)|(?<=://)[^\s\"'<>:]{0,200}:[^\s\"'<>]{0,200}(?=@)"
    ),
    re.compile(
        r"(?i)(?<![\w-])[\w-]*(?:password|passwd|secret|token|credential|authorization)[\w-]*[\"']?"
        r"\s*[=:]\s*[\"']?(?P<value>(?!\[hidden\])[^\s\"',;&}]+)"
    ),
    re.compile(r"(?<![\w-])[A-Za-z0-9_-]{43,}(?![\w-])"),  # a refresh token, a random secret
)


def hide_secrets(text: str) -> str:
    """Blot out whatever looks like a token or a password; rather too much than too little."""
    for pattern in _SECRETS:
        text = pattern.sub(_blotted, text)
    return text


def _blotted(found: re.Match[str]) -> str:
    if "value" not in found.re.groupindex:
        return BLOT
    return found[0][: found.start("value") - found.start()] + BLOT


class TextFormatter(logging.Formatter):
    """A line for people: time, level, who, message, then what is known as ``name=value``."""

    def __init__(self, process: Mapping[str, Any]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._process = {name: value for name, value in process.items() if name != "role"}

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Write the first line."""
        known = "".join(
            f" {name}={value}" for name, value in (self._process | _known(record)).items()
        )
        return super().formatMessage(record) + known

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        return hide_secrets(super().format(record))


class JsonFormatter(logging.Formatter):
    """A JSON object a line."""

    def __init__(self, process: Mapping[str, Any]) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told: dict[str, Any] = {
            "ts": at.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": hide_secrets(record.getMessage()),
            **self._process,
            **_known(record),
        }
        if record.exc_info:
            told["exception"] = hide_secrets(self.formatException(record.exc_info))
        return msgspec.json.encode(told).decode()


def _known(record: logging.LogRecord) -> dict[str, Any]:
    found = {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
    return {"request_id": current.get(), **found} if current.get() else found


def begin_logs(settings: Settings, **process: Any) -> None:
    """Have this process write its log lines to standard error, in the form that settings ask for.

    *process* is what every line says: its ``role``, the number of its ``shard``.
    """
    handler = logging.StreamHandler(sys.stderr)
    form = JsonFormatter if settings.log_format == "json" else TextFormatter
    handler.setFormatter(form(process))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)
