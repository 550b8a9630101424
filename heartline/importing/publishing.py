"""Publishing what an import says, where it differs from what the catalogue has.

Artists and albums are put together with what stands, so that one track of a new file takes nothing
away from its artist; of a track a file tells everything that it has a column for.
"""

from collections.abc import Mapping, Sequence

from domain.catalogue import Album, Artist, Entity, EntityKind, Track
from domain.catalogue_merging import completed, merged
from heartline.importing.gathered import Told, fault_of
from heartline.importing.outcome import Outcome
from heartline.importing.targets import Target


async def publish(told: Sequence[Told], target: Target, outcome: Outcome) -> None:
    """Publish entities of one kind, each id once, and count them."""
    if not told:
        return
    kind: EntityKind = told[0].entity.kind
    held = await target.held(kind, [one.entity.id for one in told])
    differing = []
    for one in told:
        now = _now(one.entity, held.get(one.entity.id))
        if now != held.get(now.id):
            differing.append(Told(now, one.where))
    outcome.unchanged += len(told) - len(differing)
    free = await _claimed(differing, held, target, outcome)
    if free:
        changes = [one.entity for one in free]
        await target.publish(changes, _released(changes, held))
        outcome.changed[kind] += len(changes)


def _now(said: Entity, stands: Entity | None) -> Entity:
    match said, stands:
        case Track(), Track():
            return completed(said, stands)
        case Album(), Album():
            return merged(stands, said)
        case Artist(), Artist():
            return merged(stands, said)
        case _:
            return said


async def _claimed(
    told: Sequence[Told], held: Mapping[str, Entity], target: Target, outcome: Outcome
) -> Sequence[Told]:
    """Tell which of *told* have their ISRCs; the others are refused."""
    wanted = {
        one.entity.isrc: one.entity.id
        for one in told
        if isinstance(one.entity, Track) and one.entity.isrc != _isrc(held.get(one.entity.id))
    }
    wanted.pop("", None)
    taken = await target.claim(wanted) if wanted else {}
    free = []
    for one in told:
        isrc = _isrc(one.entity)
        if isrc in taken and wanted[isrc] == one.entity.id:
            outcome.refuse(fault_of(one.where, isrc, taken[isrc]))
        else:
            free.append(one)
    return free


def _released(changes: Sequence[Entity], held: Mapping[str, Entity]) -> dict[str, str]:
    before = {change.id: _isrc(held.get(change.id)) for change in changes}
    return {
        before[change.id]: change.id
        for change in changes
        if before[change.id] and before[change.id] != _isrc(change)
    }


def _isrc(entity: Entity | None) -> str:
    return entity.isrc if isinstance(entity, Track) else ""
