"""What an update of a client did to a playlist's document, as loro's events tell it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from loro import ContainerID, ContainerType, Diff, DiffEvent, ListDiffItem, LoroDoc, LoroMap

from domain.playlist_deltas import Splice
from stores.playlist_errors import CannotMerge

ENTRIES, DETAILS = "entries", "details"
KINDS = {ENTRIES: ContainerType.MovableList, DETAILS: ContainerType.Map}
GONE = "gone"
GHOST = "\0"  # what no entry's id begins with


@dataclass
class Merged:
    """What an update did to the entries and details, as far as it is allowed to do anything."""

    peer: int  # whose it is
    splices: tuple[Splice, ...] = ()
    added: list[dict[str, Any]] = field(default_factory=list)  # the maps of entries that came
    gone: list[str] = field(default_factory=list)  # ids of entries that it removed
    ghosts: list[str] = field(default_factory=list)  # what stands for removed ones that it moved
    details: dict[str, Any] = field(default_factory=dict)
    maps: set[tuple[int, int]] = field(default_factory=set)  # those that came into the list


def read_merged(document: LoroDoc, events: Iterable[DiffEvent], peer: int) -> Merged:
    """Read what happened to *document* when an update of *peer* was merged.

    :raises CannotMerge: if that must not be.
    """
    merged = Merged(peer)
    changes = [change for event in events for change in event.events]
    for change in sorted(changes, key=lambda each: len(each.path)):  # lists before their entries
        _read(document, change, merged)
    return merged


def _id_of(document: LoroDoc, target: ContainerID) -> object:
    container = document.get_container(target)
    return container.get_value().get("id") if isinstance(container, LoroMap) else None


def _read(document: LoroDoc, change: Any, merged: Merged) -> None:
    target, diff, path = change.target, change.diff, change.path
    root = path[0].container if path else target
    name = _root_name(root)
    match diff:
        case Diff.List() if name == ENTRIES and len(path) == 1:
            merged.splices += _splices(diff.diff, merged)
        case Diff.Map() if name == DETAILS and len(path) == 1:
            merged.details.update(_values(diff))
        case Diff.Map() if name == ENTRIES and len(path) == 2:
            _read_entry(target, diff, merged, _id_of(document, target))
        case _:
            raise CannotMerge("forbidden", "there is nothing but entries and details to change")


def _read_entry(target: ContainerID, diff: Any, merged: Merged, entry_id: object) -> None:
    if _name(target) in merged.maps:
        return
    if _values(diff) != {GONE: True}:
        raise CannotMerge("forbidden", "entries do not change; they are added, moved, removed")
    merged.gone.append(str(entry_id))


def _splices(diff: Sequence[ListDiffItem], merged: Merged) -> tuple[Splice, ...]:
    """Make splices of loro's difference: first everything that is cut, then what is put."""
    cuts, puts, old, new = [], [], 0, 0
    for item in diff:
        match item:
            case ListDiffItem.Retain():
                old, new = old + item.retain, new + item.retain
            case ListDiffItem.Delete():
                cuts.append(Splice(old, item.delete))
            case ListDiffItem.Insert():
                put = tuple(_put(each, merged, is_move=item.is_move) for each in item.insert)
                puts.append(Splice(new, 0, put))
                new += len(put)
    return (*cuts, *puts)


def _put(each: Any, merged: Merged, *, is_move: bool) -> str:
    container = getattr(each, "container", None)
    if not isinstance(container, LoroMap):
        raise CannotMerge("forbidden", "an entry is a map with id, uri, added_at and added_by")
    values = container.get_value()
    if not is_move:
        merged.maps.add(_name(container.id))
    is_another = _name(container.id)[0] != merged.peer  # it was in the list before, and was removed
    if not is_move and (values.get(GONE) or is_another):
        merged.ghosts.append(f"{GHOST}{len(merged.ghosts)}")
        return merged.ghosts[-1]
    if values.get(GONE):
        merged.gone.append(str(values.get("id")))
    if not is_move:
        merged.added.append(values)
    return str(values.get("id"))


def _values(diff: Any) -> dict[str, Any]:
    """What a map's difference sets; None where a key goes or holds a container."""
    return {key: getattr(each, "value", None) for key, each in diff.diff.updated.items()}


def _root_name(container: ContainerID) -> str | None:
    """Name a root that is of the kind that it ought to be."""
    if not isinstance(container, ContainerID.Root):
        return None
    kind = KINDS.get(container.name)
    return container.name if kind and isinstance(container.container_type, kind) else None


def _name(container: ContainerID) -> tuple[int, int]:
    """Name what is no root by the operation that made it."""
    return container.peer, container.counter
