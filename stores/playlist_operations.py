"""Whether what a peer did is only what can be done to a playlist: loro takes more than it can keep.

A forged update may be merged and leave a document of which no snapshot can be made. So operations are
looked at one by one, as loro writes them in JSON.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

LIST, MAP = "MovableList", "Map"
ROOTS = {"cid:root-entries:MovableList": LIST, "cid:root-details:Map": MAP}


class Operation(msgspec.Struct, frozen=True):
    """One operation: where, what, and its number among the peer's."""

    container: str
    content: dict[str, Any]
    counter: int


class Change(msgspec.Struct, frozen=True):
    """Operations that follow each other."""

    id: str
    ops: list[Operation]


class Operations(msgspec.Struct, frozen=True):
    """What loro exports."""

    changes: list[Change]


_decoder = msgspec.json.Decoder(Operations)


def are_usual(exported: str) -> bool:
    """Whether operations are inserts, moves and deletions in lists and maps, each where it ought to be."""
    try:
        changes = _decoder.decode(exported).changes
    except msgspec.DecodeError:
        return False
    return all(_follow(change.id, change.ops) for change in changes)


def _follow(begin: str, operations: Iterable[Operation]) -> bool:
    number = int(begin.partition("@")[0])
    for each in operations:
        size = _size(each)
        if size < 1 or each.counter != number:
            return False
        number += size
    return True


def _size(operation: Operation) -> int:
    """Tell how many numbers an operation takes; 0 if it is none of ours."""
    content, place = operation.content, operation.container
    kind = ROOTS.get(place) or (MAP if place.endswith(":Map") and "root-" not in place else None)
    match kind, content.get("type"):
        case "MovableList", "insert":
            return len(content["value"]) if isinstance(content.get("value"), list) else 0
        case "MovableList", "delete":
            size = content.get("len")
            return abs(size) if isinstance(size, int) else 0
        case ("MovableList", "move") | ("Map", "insert" | "delete"):
            return 1
    return 0
