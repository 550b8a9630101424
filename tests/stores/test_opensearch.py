"""What OpenSearch alone does: claims, an alias that moves, and servers that are killed."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from domain.catalogue import EntityKind
from domain.errors import Unavailable
from domain.search import Entry, Query
from stores.opensearch_index import OpenSearchIndex
from stores.opensearch_session import NotDone
from stores.opensearch_writer import OpenSearchWriter
from tests.servers.search_cluster import own_cluster
from tests.stores.search_names import SearchName, new_search_name

pytestmark = pytest.mark.servers

TRACK = EntityKind.TRACK
SEVERAL = 200
AWAY_WITHIN_S = 4.0  # a reader knows after 1.5 s; the machine does other things, too


@pytest.fixture
async def name(opensearch: str) -> AsyncIterator[SearchName]:
    async with new_search_name(opensearch) as made:
        yield made


def entry(number: int, title: str = "Hello") -> Entry:
    return Entry(kind=TRACK, id=str(number), name=title, artists=("Adele",), artist_ids=("a",))


def entries(first: int, count: int = SEVERAL) -> list[Entry]:
    return [entry(number) for number in range(first, first + count)]


async def titles(writer: OpenSearchWriter) -> dict[str, str]:
    return {each.id: each.name async for each in writer.entries(TRACK)}


async def hello(index: OpenSearchIndex) -> int:
    """How many are found, of up to three."""
    found = await index.propose(Query(words=("hello",)), [TRACK], now_ms=0, limit=3)
    return len(found)


# --- claims --------------------------------------------------------------------------------------


async def test_who_lost_the_index_changes_nothing_newer_and_learns_it(name: SearchName) -> None:
    before, after = name.writer(), name.writer()
    await before.position()
    await before.write([entry(1), entry(2)])
    assert await after.position() is None
    await after.write([entry(1, "Newer")], [(TRACK, "2")])

    await before.write([entry(1, "Older"), entry(2, "Older"), entry(3, "Other")])
    with pytest.raises(Unavailable, match="another process"):
        await before.commit(9)
    with pytest.raises(Unavailable, match="another process"):
        await before.write([entry(4)])
    await after.commit(5)

    assert await titles(after) == {"1": "Newer", "3": "Other"}
    assert await before.position() == 5
    await before.close()
    await after.close()


async def test_a_request_that_comes_late_changes_nothing_newer(name: SearchName) -> None:
    writer = name.writer()
    await writer.write([entry(1, "First")])
    late = name.writer()
    late._claim = writer._claim  # the first request of the same claim, once more

    await writer.write([entry(1, "Second")])
    await late.write([entry(1, "First")])

    assert await titles(writer) == {"1": "Second"}
    await writer.close()
    await late.close()


async def test_an_index_that_is_not_ours_is_left_alone(name: SearchName) -> None:
    await name.session.ask("PUT", f"/{name.name}-1-1", {})
    writer = name.writer()

    with pytest.raises(Unavailable, match="not one of ours"):
        await writer.position()
    await writer.close()


async def test_an_index_that_was_deleted_is_not_made_by_writing(name: SearchName) -> None:
    writer = name.writer()
    await writer.write([entry(1)])
    await writer.commit(5)
    await name.session.ask("DELETE", f"/{name.name}-1-1")

    with pytest.raises(NotDone):
        await writer.write([entry(2)])
    with pytest.raises(Unavailable):
        await writer.commit(6)

    assert await name.session.ask("GET", f"/{name.name}-*") == {}
    assert await writer.position() is None
    await writer.close()


async def test_the_number_of_copies_follows_the_setting(name: SearchName) -> None:
    for replicas in (0, 2):
        writer = name.writer(replicas=replicas)
        await writer.position()
        await writer.close()

    settings = await name.session.ask("GET", f"/{name.name}-1-1/_settings")

    assert settings[f"{name.name}-1-1"]["settings"]["index"]["number_of_replicas"] == "2"


# --- writing -------------------------------------------------------------------------------------


async def test_operations_that_were_put_off_are_sent_again(name: SearchName) -> None:
    writer = name.writer()
    await writer.position()
    await block(name, is_full=True)

    async with asyncio.TaskGroup() as group:
        writing = group.create_task(writer.write(entries(0)))
        done, _ = await asyncio.wait([writing], timeout=0.5)
        assert not done
        await block(name, is_full=False)

    assert len(await titles(writer)) == SEVERAL
    await writer.close()


async def test_what_cannot_be_written_is_unavailable_and_lost_to_nobody(name: SearchName) -> None:
    writer = name.writer(patience_s=0.2)
    await writer.position()
    await block(name, is_full=True)

    with pytest.raises(Unavailable, match="does not take all"):
        await writer.write([entry(1)])
    await writer.close()


async def block(name: SearchName, *, is_full: bool) -> None:
    """Let the index be as it is while the disk is full."""
    blocks = {"index.blocks.read_only_allow_delete": is_full or None}
    await name.session.ask("PUT", f"/{name.name}-1-1/_settings", blocks)


async def test_an_entry_that_is_refused_keeps_no_other_out(
    name: SearchName, caplog: pytest.LogCaptureFixture
) -> None:
    writer = name.writer()

    await writer.write([entry(1), entry(2**70), Entry(TRACK, "x", "Hello", added_ms=2**70)])

    assert (await titles(writer)).keys() == {"1", str(2**70)}
    assert "track:x cannot be searched for" in caplog.text
    await writer.close()


# --- the alias -----------------------------------------------------------------------------------


async def test_another_number_of_shards_takes_over_without_an_empty_answer(
    name: SearchName,
) -> None:
    before, after, index = name.writer(), name.writer(shards=2), name.index()
    await before.write(entries(0))
    await before.commit(1)
    await name.show()
    answers: list[int] = []

    async with asyncio.TaskGroup() as group:
        searching = group.create_task(keep_searching(index, answers))
        assert await after.position() is None
        for first in range(0, 10 * SEVERAL, SEVERAL):
            await after.write(entries(first))
        assert await alias(name) == [f"{name.name}-1-1"]
        await after.commit(2)
        assert await alias(name) == [f"{name.name}-1-2"]
        answers += [await hello(index) for _ in range(10)]
        searching.cancel()

    assert set(answers) == {3}
    assert list(await name.session.ask("GET", f"/{name.name}-*")) == [f"{name.name}-1-2"]
    for each in (before, after, index):
        await each.close()


async def keep_searching(index: OpenSearchIndex, answers: list[int]) -> None:
    while True:
        answers.append(await hello(index))


async def alias(name: SearchName) -> Sequence[str]:
    return list(await name.session.ask("GET", f"/_alias/{name.name}"))


# --- servers that are killed ---------------------------------------------------------------------


@pytest.mark.timeout(400)
async def test_a_node_that_is_killed_costs_nothing(tmp_path: Path) -> None:
    with own_cluster(tmp_path, nodes=3) as cluster:
        async with new_search_name(cluster.url) as name:
            writer, index = name.writer(), name.index()
            await writer.write(entries(0))
            await writer.commit(1)
            await name.show()
            written, answers = SEVERAL, set[int]()

            for victim in range(3):
                await healthy(name)
                killing = asyncio.create_task(asyncio.to_thread(cluster.kill, victim))
                for _ in range(5):
                    writing = asyncio.create_task(writer.write(entries(written)))
                    answers.update(await asyncio.gather(*(hello(index) for _ in range(5))))
                    await writing
                    written += SEVERAL
                    await writer.commit(written)
                await killing
                assert len(await titles(writer)) == await writer.position() == written
                await asyncio.to_thread(cluster.start_again, victim)

            assert answers == {3}
            await writer.close()
            await index.close()


async def healthy(name: SearchName) -> None:
    """Wait until every copy is there."""
    await name.session.ask("GET", "/_cluster/health", wait_for_status="green")


@pytest.mark.timeout(300)
async def test_who_searches_knows_soon_that_the_server_is_away_and_when_it_is_back(
    tmp_path: Path,
) -> None:
    with own_cluster(tmp_path, nodes=1) as cluster:
        async with new_search_name(cluster.url) as name:
            writer, index = name.writer(patience_s=1.0), name.index(attempt_s=1.0)
            await writer.write(entries(0))
            await writer.commit(1)
            await asyncio.to_thread(cluster.kill, 0)

            for search in (index.complete(("hello",), [TRACK], limit=3), hello(index)):
                begun_s = time.monotonic()
                with pytest.raises(Unavailable, match="OpenSearch does not answer"):
                    await search
                assert time.monotonic() - begun_s < AWAY_WITHIN_S
            with pytest.raises(Unavailable):
                await writer.write(entries(SEVERAL))

            await asyncio.to_thread(cluster.start_again, 0)
            with suppress(Unavailable):  # its shard may be read from the disk still
                await hello(index)
            await healthy(name)
            assert await hello(index) == 3
            assert len(await titles(writer)) >= SEVERAL
            await writer.close()
            await index.close()
