"""Search engines side by side: all are filled with the same entries, and asked the same questions."""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from bench.rig.cpu import cpu_s
from bench.rig.fts5 import Fts5
from bench.rig.relevance import Answer, Question, answer_of
from domain.queries import parse
from domain.ranking import order
from domain.search import Candidate, Entry, SearchIndex, SearchWriter
from heartline.searching import open_index, open_writer
from heartline.settings import Settings
from tests.servers.fleet import PROGRAMS
from tests.servers.opensearch import OpenSearch
from tests.servers.running import launch, stop, wait_until_ready

CANDIDATES = 100
SHOWN = 10
NOW_MS = 1_795_000_000_000

Finder = Callable[[Question], Awaitable[Sequence[Answer]]]


class Engine(Protocol):
    """An index in the making, then one that answers."""

    async def is_empty(self) -> bool:
        """Whether it has to be filled; before anything else."""
        ...

    async def write(self, entries: Sequence[Entry]) -> None:
        """Add entries."""
        ...

    async def finish(self) -> None:
        """Make everything that was written durable and found."""
        ...

    async def find(self, question: Question) -> Sequence[Answer]:
        """Find what is meant, the best first."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


class Ours:
    """Heartline on one of its engines; *ordering_ms* gathers what ordering took of a core."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._writer: SearchWriter = open_writer(settings)
        self._index: SearchIndex = open_index(settings)
        self.ordering_ms: list[float] = []

    async def is_empty(self) -> bool:
        """Whether it was never filled to its end."""
        return await self._writer.position() is None

    async def write(self, entries: Sequence[Entry]) -> None:
        """Add entries."""
        await self._writer.fill(entries)

    async def finish(self) -> None:
        """Commit."""
        await self._writer.commit(1)

    async def find(self, question: Question) -> Sequence[Answer]:
        """Find as the endpoint does."""
        found = await self._proposed(question)
        began_s = time.thread_time()
        ranked = order(parse(question.typed), found, now_ms=NOW_MS)
        self.ordering_ms.append((time.thread_time() - began_s) * 1e3)
        return [answer_of(one.entry) for one in ranked[:SHOWN]]

    async def find_unordered(self, question: Question) -> Sequence[Answer]:
        """Find in the order of the engine's own scores."""
        best = sorted(await self._proposed(question), key=lambda one: -one.score)
        return [answer_of(one.entry) for one in best[:SHOWN]]

    async def close(self) -> None:
        """Close both."""
        await self._writer.close()
        await self._index.close()

    async def _proposed(self, question: Question) -> list[Candidate]:
        kinds = [question.answer[0]]
        return await self._index.propose(
            parse(question.typed), kinds, now_ms=NOW_MS, limit=CANDIDATES
        )


class Peer:
    """SQLite FTS5 as a music server uses it, in a file of *data*."""

    def __init__(self, data: Path) -> None:
        self._fts5 = Fts5(data / "fts5.db")

    async def is_empty(self) -> bool:
        """Whether it was never filled to its end."""
        return not self._fts5.is_filled

    async def write(self, entries: Sequence[Entry]) -> None:
        """Add entries."""
        self._fts5.write(entries)

    async def finish(self) -> None:
        """Commit."""
        self._fts5.finish()

    async def find(self, question: Question) -> Sequence[Answer]:
        """Find as a music server does."""
        found = self._fts5.search(question.typed, question.answer[0], SHOWN)
        return [answer_of(entry) for entry in found]

    async def close(self) -> None:
        """Close the file."""
        self._fts5.close()


@dataclass(slots=True)
class Filling:
    """How much an engine took in, and how long it was at it."""

    documents: int = 0
    took_s: float = 0.0

    async def write(self, engine: Engine, entries: Sequence[Entry]) -> None:
        """Have it write entries."""
        began_s = time.perf_counter()
        await engine.write(entries)
        self.took_s += time.perf_counter() - began_s
        self.documents += len(entries)

    async def finish(self, engine: Engine) -> None:
        """Have it finish."""
        began_s = time.perf_counter()
        await engine.finish()
        self.took_s += time.perf_counter() - began_s


@dataclass(slots=True)
class Asked:
    """What was found of some questions, and what each took, one after the other."""

    answers: list[Sequence[Answer]] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)


async def ask(find: Finder, questions: Sequence[Question]) -> Asked:
    """Ask everything once."""
    asked = Asked()
    for question in questions:
        began_s = time.perf_counter()
        asked.answers.append(await find(question))
        asked.took_ms.append((time.perf_counter() - began_s) * 1e3)
        await asyncio.sleep(0)
    return asked


@dataclass(frozen=True, slots=True)
class Node:
    """An OpenSearch node that runs for this benchmark."""

    address: str
    pid: int

    def cpu_s(self) -> float:
        """Tell the seconds of a core that it took so far."""
        return cpu_s(self.pid)

    def index_bytes(self) -> int:
        """Tell what its indices take on the disk, each once."""
        host = self.address.removeprefix("opensearch://").partition("?")[0]
        told = httpx.get(f"http://{host}/_stats/store").raise_for_status().json()
        return int(told["_all"]["primaries"]["store"]["size_in_bytes"])


@contextmanager
def opensearch() -> Iterator[Node]:
    """Run a node.

    :raises tests.servers.programs.Missing: if Java or the jars cannot be had.
    """
    server = OpenSearch()
    server.install(PROGRAMS)
    with tempfile.TemporaryDirectory(prefix="heartline-opensearch-") as home:
        running = launch(server, Path(home), PROGRAMS, usual_ports=False, with_us=True)
        try:
            wait_until_ready(running)
            yield Node(running.settings[server.variable], running.pid)
        finally:
            stop(running)


def settings(data: Path, address: str = "") -> Settings:
    """Make the settings of an index in *data*, or at *address*."""
    kept = {name: each for name, each in os.environ.items() if not name.startswith("HEARTLINE_")}
    return Settings.from_environ(
        kept | {"HEARTLINE_DATA": str(data)} | ({"HEARTLINE_SEARCH": address} if address else {})
    )
