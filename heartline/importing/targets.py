"""Where an import goes: the catalogue, or nowhere when it is a dry run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from domain.catalogue import Change, Entity, EntityKind
from heartline.catalogues import Changing
from stores.catalogue import Catalogue
from stores.isrcs import Isrcs


class Target(Protocol):
    """What an import is compared with, and published to."""

    async def held(self, kind: EntityKind, ids: Iterable[str]) -> Mapping[str, Entity]:
        """Tell the entities that stand."""
        ...

    async def claim(self, wanted: Mapping[str, str]) -> Mapping[str, str]:
        """Take ISRCs for tracks; tells who has those that another track has."""
        ...

    async def publish(self, changes: Sequence[Change], released: Mapping[str, str]) -> None:
        """Make the changes durable, after which tracks give up the ISRCs *released*."""
        ...


class IntoCatalogue:
    """The catalogue itself; *is_alone* if no other process makes rows of its log."""

    def __init__(self, change: Changing, isrcs: Isrcs, *, is_alone: bool) -> None:
        self._change, self._isrcs, self._is_alone = change, isrcs, is_alone

    async def held(self, kind: EntityKind, ids: Iterable[str]) -> Mapping[str, Entity]:
        """See `Target`."""
        return await _held(self._change.catalogue, kind, ids)

    async def claim(self, wanted: Mapping[str, str]) -> Mapping[str, str]:
        """See `Target`."""
        return await self._isrcs.claim(wanted)

    async def publish(self, changes: Sequence[Change], released: Mapping[str, str]) -> None:
        """See `Target`."""
        await self._change.publish(changes)
        if self._is_alone:
            await self._change.applied()
        await self._isrcs.release(released)


class DryRun:
    """Compares with a catalogue and changes nothing; without one, everything is new."""

    def __init__(self, catalogue: Catalogue | None = None, isrcs: Isrcs | None = None) -> None:
        self._catalogue, self._isrcs = catalogue, isrcs

    async def held(self, kind: EntityKind, ids: Iterable[str]) -> Mapping[str, Entity]:
        """See `Target`."""
        return await _held(self._catalogue, kind, ids) if self._catalogue else {}

    async def claim(self, wanted: Mapping[str, str]) -> Mapping[str, str]:
        """Tell who has which; nothing is taken."""
        held = await self._isrcs.holders(wanted) if self._isrcs else {}
        return {isrc: track for isrc, track in held.items() if track != wanted[isrc]}

    async def publish(self, changes: Sequence[Change], released: Mapping[str, str]) -> None:
        """Do nothing."""


async def _held(catalogue: Catalogue, kind: EntityKind, ids: Iterable[str]) -> Mapping[str, Entity]:
    found = await catalogue.held(kind, ids)
    return {each: one.entity for each, one in found.items()}
