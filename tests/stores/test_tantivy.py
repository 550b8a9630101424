"""What tantivy alone does: one writer of a directory, and what is left of it when it is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from domain.catalogue import EntityKind
from domain.errors import Unavailable
from domain.lookups import spellings
from domain.search import Candidate, Entry, Query
from stores.tantivy_index import TantivyIndex
from stores.tantivy_schema import open_index
from stores.tantivy_snapshot import CANDIDATES_KEPT, Snapshot
from stores.tantivy_writer import TantivyWriter

ROOT = Path(__file__).resolve().parents[2]
WRITING = """
import asyncio, sys
from pathlib import Path
from tests.stores.test_tantivy import entry
from stores.tantivy_writer import TantivyWriter

async def write():
    writer = TantivyWriter(Path(sys.argv[1]))
    position = (await writer.position() or 0)
    while True:
        position += 1
        await writer.write([entry(position)])
        await writer.commit(position)
        print(position, flush=True)
        await writer.write([entry(1_000_000 + position)])

asyncio.run(write())
"""


def entry(number: int) -> Entry:
    return Entry(kind=EntityKind.TRACK, id=str(number), name=f"Song {number}")


async def test_a_second_writer_is_told_that_there_is_one(tmp_path: Path) -> None:
    writer = TantivyWriter(tmp_path)
    await writer.position()
    second = TantivyWriter(tmp_path)

    with pytest.raises(Unavailable, match="another process writes the search index"):
        await second.position()
    await writer.close()
    await second.write([entry(1)])

    await second.close()


async def test_what_was_not_committed_is_gone_with_the_writer(tmp_path: Path) -> None:
    writer = TantivyWriter(tmp_path)
    await writer.write([entry(1)])
    await writer.commit(1)
    await writer.write([entry(2)])
    await writer.close()
    again = TantivyWriter(tmp_path)

    assert await again.position() == 1
    assert [each.id async for each in again.entries(EntityKind.TRACK)] == ["1"]

    await again.close()


def killed(directory: Path, *, commits: int) -> int:
    """Let another process write, kill it in the middle, and tell its last commit."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITING, str(directory)], stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout
        told = [int(process.stdout.readline()) for _ in range(commits)]
        process.kill()
        return max(told + [int(line) for line in process.stdout.read().split()])


async def test_a_kill_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    seen = []
    for commits in (3, 4, 5):
        told = killed(tmp_path, commits=commits)
        writer = TantivyWriter(tmp_path)
        position = await writer.position() or 0
        numbers = {int(each.id) async for each in writer.entries(EntityKind.TRACK)}
        await writer.close()
        seen.append((position - told, {*range(1, position + 1)} - numbers))

    assert {lost for _, numbers in seen for lost in numbers} == set()
    assert {ahead for ahead, _ in seen} <= {0, 1}


async def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "search").write_text("not a directory")
    index, writer = TantivyIndex(tmp_path / "search"), TantivyWriter(tmp_path / "search")

    with pytest.raises(Unavailable, match="search index"):
        await index.propose(Query(words=("a",)), list(EntityKind), now_ms=0, limit=1)
    with pytest.raises(Unavailable, match="search index"):
        await writer.write([entry(1)])

    await index.close()
    await writer.close()


async def test_a_damaged_index_is_told(tmp_path: Path) -> None:
    writer = TantivyWriter(tmp_path)
    await writer.write([entry(1)])
    await writer.commit(1)
    await writer.close()
    for file in (tmp_path / "1").glob("meta.json"):
        file.write_text("{")
    index = TantivyIndex(tmp_path)

    with pytest.raises(Unavailable, match="search index"):
        await index.similar_words("song", limit=1)

    await index.close()


def test_a_word_may_be_spelled_with_its_neighbours() -> None:
    words = ("a", "b", "c", "d")

    assert set(spellings(words, 1)) == {"b", "ab", "bc", "abc", "bcd"}
    assert set(spellings(words, 0)) == {"a", "ab", "abc"}
    assert spellings(("a",), 0) == ["a"]


async def test_what_was_found_is_told_anew_after_a_commit(tmp_path: Path) -> None:
    index, writer = TantivyIndex(tmp_path, reload_s=0), TantivyWriter(tmp_path)
    seen = []
    for number in (1, 2):
        await writer.write([entry(number)])
        await writer.commit(number)
        for _ in range(2):
            found = await index.complete(("so",), [EntityKind.TRACK], limit=5)
            seen.append(sorted(each.entry.name for each in found))

    assert seen == [["Song 1"], ["Song 1"], ["Song 1", "Song 2"], ["Song 1", "Song 2"]]

    await index.close()
    await writer.close()


async def test_what_others_asked_is_remembered_up_to_a_bound(tmp_path: Path) -> None:
    writer = TantivyWriter(tmp_path)
    await writer.commit(1)
    snapshot = Snapshot(open_index(tmp_path).searcher())
    third = [Candidate(entry(1))] * (CANDIDATES_KEPT // 3 - 1)
    for question in ("a", "b", "c"):
        snapshot.remember(question, third)
    snapshot.recall("a")
    snapshot.remember("c", third)
    snapshot.remember("d", [])
    snapshot.remember("e", third[:9])

    recalled = {each: snapshot.recall(each) for each in ("a", "b", "c", "d", "e")}
    assert recalled == {"a": third, "b": None, "c": third, "d": [], "e": third[:9]}

    await writer.close()


async def test_an_answer_that_is_too_long_is_not_remembered(tmp_path: Path) -> None:
    writer = TantivyWriter(tmp_path)
    await writer.commit(1)
    snapshot = Snapshot(open_index(tmp_path).searcher())
    snapshot.remember("long", [Candidate(entry(1))] * CANDIDATES_KEPT)

    assert snapshot.recall("long") is None

    await writer.close()
