"""What a body of items of the catalogue comes to: entities, and what was refused of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.catalogue import Entity, EntityKind
from domain.catalogue_faults import INVALID, judge
from domain.heartbeats import Refusal
from domain.ids import ID_BYTES
from serve.receipts import Rejected

MOST_ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class Judged:
    """The entities that can be taken, each with its place in the body, and those that cannot."""

    taken: list[tuple[int, Entity]]
    rejected: list[Rejected]


def judge_all(kind: EntityKind, items: Iterable[object]) -> Judged:
    """Judge each item, as its fields or already refused, by itself."""
    judged = Judged([], [])
    for index, fields in enumerate(items):
        entity = fields if isinstance(fields, Refusal) else judge(kind, fields)
        if isinstance(entity, Refusal):
            judged.rejected.append(rejected(index, id_of(fields), entity))
        else:
            judged.taken.append((index, entity))
    return judged


def rejected(index: int, entity_id: str | None, refusal: Refusal) -> Rejected:
    """Tell of an item that was refused."""
    return Rejected(index, entity_id, refusal.field or None, refusal.reason, refusal.message)


def id_of(fields: object) -> str | None:
    """Tell the id of an item, if it is text that can be told."""
    named = fields.get("id") if isinstance(fields, Mapping) else None
    return named if isinstance(named, str) and len(named) <= ID_BYTES else None


def malformed(message: str) -> Refusal:
    """Refuse what is no item at all."""
    return Refusal("", INVALID, message)
