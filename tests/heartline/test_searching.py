from pathlib import Path

from domain.catalogue import Artist, EntityKind
from domain.search import Query
from heartline.catalogues import catalogue_log_of, changing
from heartline.searching import indexer, open_index, open_writer
from heartline.settings import Settings
from heartline.wiring import now_ms, store


async def test_what_a_command_changes_is_found_after_it_was_indexed(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    async with store(settings, make=True) as tables, catalogue_log_of(settings) as log:
        async with changing(settings, tables, still_s=0.0) as change:
            await change.publish([Artist("nina", "Nina Simone")])
        writer, index = open_writer(settings), open_index(settings)
        indexing = indexer(tables, log, writer)
        await indexing.begin()
        await indexing.catch_up()
        found = await index.propose(
            Query(words=("simone",)), list(EntityKind), now_ms=now_ms(), limit=5
        )
        await writer.close()
        await index.close()

    assert [candidate.entry.id for candidate in found] == ["nina"]
