"""What the last recount of everything found, kept in the data directory for `/metrics`."""

from pathlib import Path

import msgspec
from msgspec import Struct

NAME = "recount.json"


class RecountResult(Struct, frozen=True):
    """How many differences there were, and when."""

    at_ms: int
    differences: int


def keep_result(data: Path, result: RecountResult) -> None:
    """Put *result* in the place of the one before."""
    new = data / f"{NAME}.new"
    new.write_bytes(msgspec.json.encode(result))
    new.replace(data / NAME)


def last_result(data: Path) -> RecountResult | None:
    """Read what was kept last; None if there is nothing to be read."""
    try:
        return msgspec.json.decode((data / NAME).read_bytes(), type=RecountResult)
    except (OSError, msgspec.DecodeError):
        return None
