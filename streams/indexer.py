"""The indexer: follows the catalogue's log behind the cataloguer and keeps the search index like it.

It writes what stands in the store, not what a record says, so records may come again and in any
number; where it goes on is said by the index itself, which has entries and place from one commit.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing

from domain.catalogue import Change, Entity, EntityKind, Removed
from domain.entries import passed_on
from domain.errors import Unavailable
from domain.positions import records_between
from domain.search import SearchWriter
from stores.catalogue import Catalogue
from stores.catalogue_log import CatalogueLog
from stores.catalogue_rows import CatalogueRecord
from streams.entry_maker import EntryMaker
from streams.index_metrics import IndexMetrics

GROUP = "search"
EVERY_S = 1.0
SWEEP_S = 240.0  # play counts are to be searchable within ten minutes
TOGETHER = 500
UNCOMMITTED = 1_000_000  # entries, while an index is filled: as many as tantivy puts into a segment
KNOWN = 100_000  # artists and albums whose names are remembered
UNFILLED = -1  # the place of an index while it is filled anew
RETRY_S = 1.0
STUCK_S = 5.0

log_ = logging.getLogger(__name__)

Name = tuple[EntityKind, str]


class Indexer:
    """Follows one log for one index, of which it has the writer."""

    def __init__(
        self,
        log: CatalogueLog,
        entries: EntryMaker,
        catalogue: Catalogue,
        writer: SearchWriter,
        *,
        metrics: IndexMetrics | None = None,
    ) -> None:
        self._log, self._entries, self._catalogue, self._writer = log, entries, catalogue, writer
        self._metrics = metrics or IndexMetrics()
        self._place, self._empty_at = 0, -1
        self._writing = asyncio.Lock()  # from reading the store to writing: older never over newer
        self._passed_on: dict[Name, tuple[object, ...]] = {}

    async def run(self) -> None:
        """Follow the log until cancelled.

        Raises
        ------
        Unavailable
            The log, the store or the index is away; what was not committed must be written again.
        """
        await self.begin()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow())
                tasks.create_task(self._keep_swept())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            await self.catch_up()
            await asyncio.sleep(max(began_s + EVERY_S - loop.time(), 0))

    async def _keep_swept(self) -> None:
        """Sweep beside the following: the index and the table of plays are long."""
        while True:
            await self.sweep()
            await asyncio.sleep(SWEEP_S)

    async def begin(self) -> None:
        """Find out how far the index is; fill one that is new, or that is not of this log."""
        await self._tell_how_far_behind()
        place, applied = await self._writer.position(), await self._log.applied()
        if place is None or not 0 <= place <= applied or await self._is_of_another_catalogue():
            await self.fill()
            return
        self._place = place
        await self.catch_up()

    async def fill(self) -> None:
        """Write everything that the store has, and remove what it does not have."""
        log_.info("fills the search index")
        async with self._writing:  # what a sweep writes is newer, and it knows only the old place
            if await self._writer.position() is not None:  # killed meanwhile, it is filled again
                await self._writer.commit(UNFILLED)
            place = min(await self._log.applied(), await self._catalogue.position())
            await self._entries.count()
            await self._fill()
            await self._remove_strangers()
            await self._commit(place)

    async def catch_up(self) -> None:
        """Write and commit what the store has by now, every second while there is much."""
        loop, applied = asyncio.get_running_loop(), await self._log.applied()
        commit_at_s, place = loop.time() + EVERY_S, self._place
        self._metrics.is_behind(records_between(place, applied))
        if (
            await self._log.applied(GROUP) < place
        ):  # killed between the index's commit and the log's
            await self._log.commit(place, GROUP)
        while place < applied:
            found = await self._log.read(place)
            if not found and self._empty_at != place:
                self._empty_at = place  # a broker that has just become leader may not know its end
                break
            records = [record for record in found if record.position <= applied]
            if not records or not _follows(place, records[0]):
                log_.error("the catalogue's log has trimmed changes that the search index lacks")
                await self.fill()
                break
            await self._index(records)
            place = records[-1].position
            if loop.time() >= commit_at_s or place >= applied:
                await self._commit(place)
                commit_at_s = loop.time() + EVERY_S
        self._metrics.is_behind(records_between(self._place, applied))

    async def sweep(self) -> None:
        """Write the tracks that were played more often, by steps of a quarter of a doubling.

        The first time, the index is read for what it has.
        """
        if not self._entries.has_counted:
            await self._presume()
        changed = await self._entries.count()
        for names in _in_parts([(EntityKind.TRACK, each) for each in changed]):
            await self._write(names)
        if changed:  # with the place, for only that tells who has lost the index
            async with self._writing:
                await self._writer.commit(self._place)

    async def _tell_how_far_behind(self) -> None:
        """Tell by the log alone: the index may be away."""
        place, applied = await self._log.applied(GROUP), await self._log.applied()
        self._metrics.is_behind(records_between(place, applied))

    async def _fill(self) -> None:
        written = 0
        for kind in EntityKind:
            async for entries in self._entries.all(kind):
                await self._writer.fill(entries)
                written += len(entries)
                self._metrics.indexed(len(entries))
                if written >= UNCOMMITTED:
                    await self._writer.commit()
                    written = 0
        await self._writer.commit()

    async def _is_of_another_catalogue(self) -> bool:
        """Whether a store that is complete knows less than half of some tracks that the index has."""
        if await self._catalogue.position() < await self._log.applied():
            return False  # of a backup: the log has what it lacks
        sample: list[str] = []
        async with aclosing(self._writer.entries(EntityKind.TRACK)) as entries:
            async for entry in entries:
                sample.append(entry.id)
                if len(sample) == TOGETHER:
                    break
        return len(await self._catalogue.held(EntityKind.TRACK, sample)) * 2 < len(sample)

    async def _presume(self) -> None:
        async for entry in self._writer.entries(EntityKind.TRACK):
            if entry.plays:
                self._entries.presume(entry.id, entry.plays)

    async def _commit(self, place: int) -> None:
        await self._writer.commit(place)
        self._place = place
        await self._log.commit(place, GROUP)

    async def _index(self, records: Sequence[CatalogueRecord]) -> None:
        changes = [change for record in records for change in record.changes]
        names = dict.fromkeys(map(_name, changes))
        passed_on = {_name(change): _passed_on(change) for change in changes}
        for change in changes:
            if _passed_on(change) != self._passed_on.get(_name(change)):
                names |= dict.fromkeys(await self._named_by(_name(change)))
        for part in _in_parts(list(names)):
            await self._write(part)
        self._passed_on |= {name: told for name, told in passed_on.items() if told}
        while len(self._passed_on) > KNOWN:
            del self._passed_on[next(iter(self._passed_on))]

    async def _named_by(self, name: Name) -> list[Name]:
        """Tell whose entries have the name of this entity."""
        match name:
            case EntityKind.ARTIST, artist_id:
                named: list[Entity] = [
                    *await self._catalogue.artist_albums(artist_id),
                    *await self._catalogue.artist_tracks(artist_id),
                ]
                return [(each.kind, each.id) for each in named]
            case EntityKind.ALBUM, album_id:
                return [
                    (each.kind, each.id) for each in await self._catalogue.album_tracks(album_id)
                ]
            case _:
                return []

    async def _write(self, names: Iterable[Name]) -> None:
        """Write what stands of these entities."""
        ids: dict[EntityKind, list[str]] = {kind: [] for kind in EntityKind}
        for kind, entity_id in names:
            ids[kind].append(entity_id)
        for kind, of_kind in ids.items():
            if of_kind:
                async with self._writing:
                    await self._write_kind(kind, of_kind)

    async def _write_kind(self, kind: EntityKind, ids: Sequence[str]) -> None:
        entries = await self._entries.entries(kind, ids)
        removed = [(kind, each) for each in ids if each not in entries]
        await self._writer.write(list(entries.values()), removed)
        self._metrics.indexed(len(ids))

    async def _remove_strangers(self) -> None:
        for kind in EntityKind:
            part: list[str] = []
            async for entry in self._writer.entries(kind):
                part.append(entry.id)
                if len(part) == TOGETHER:
                    await self._remove_missing(kind, part)
                    part = []
            await self._remove_missing(kind, part)

    async def _remove_missing(self, kind: EntityKind, ids: Sequence[str]) -> None:
        held = await self._catalogue.held(kind, ids)
        await self._writer.write([], [(kind, each) for each in ids if each not in held])


async def keep_indexing(begun: Callable[[], Indexer], *, retry_s: float = RETRY_S) -> None:
    """Index until cancelled, beginning anew after whatever goes wrong: the log keeps what is to be done."""
    while True:
        try:
            await begun().run()
        except Unavailable as error:
            log_.warning("the search index waits: %s", error)
            await asyncio.sleep(retry_s)
        except Exception:  # the store has what the index lacks
            log_.exception("the search index is stuck")
            await asyncio.sleep(STUCK_S)


def _follows(place: int, record: CatalogueRecord) -> bool:
    """Whether nothing lies between: neither what was trimmed nor a generation that began elsewhere."""
    return record.position == place + 1


def _name(change: Change) -> Name:
    return change.kind, change.id


def _passed_on(change: Change) -> tuple[object, ...]:
    return ("removed",) if isinstance(change, Removed) else passed_on(change)


def _in_parts(names: Sequence[Name]) -> Iterable[Sequence[Name]]:
    return (names[begin : begin + TOGETHER] for begin in range(0, len(names), TOGETHER))
