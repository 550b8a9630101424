"""Items of the catalogue as newline-delimited JSON: an object a line; empty lines are passed over."""

from collections.abc import Iterator

import msgspec

from domain.catalogue import EntityKind
from domain.heartbeats import Refusal
from serve.catalogue_items import MOST_ITEMS, Judged, judge_all, malformed
from serve.receipts import BadBody

NDJSON = "application/x-ndjson"
MOST_LINE_BYTES = 64 << 10  # every value of a line becomes an object

_decode = msgspec.json.Decoder().decode


def read_lines(body: bytes, kind: EntityKind) -> Judged:
    """Take the items of a body: 1 to 10 000.

    :raises BadBody: if there are none, or more.
    """
    if body.count(b"\n") > 2 * MOST_ITEMS:
        raise _too_many()
    lines = [line for line in body.split(b"\n") if line.strip()]
    if not lines:
        raise BadBody("empty", "the body has no items")
    if len(lines) > MOST_ITEMS:
        raise _too_many()
    return judge_all(kind, _fields(lines))


def read_line(line: bytes) -> object:
    """Read one item as its fields, or refuse it as a whole."""
    if len(line) > MOST_LINE_BYTES:
        return malformed(f"an item must be of at most {MOST_LINE_BYTES} bytes")
    try:
        return _decode(line)
    except (ValueError, RecursionError) as error:
        detail = "too deep" if isinstance(error, RecursionError) else str(error)
        return malformed(f"not JSON in UTF-8: {detail}")


def _fields(lines: list[bytes]) -> Iterator[object | Refusal]:
    return map(read_line, lines)


def _too_many() -> BadBody:
    return BadBody("too_many", f"the body has more than {MOST_ITEMS} items")
