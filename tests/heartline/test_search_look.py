from typing import Any

import pytest

from domain.catalogue import Artist
from domain.errors import Unavailable
from heartline.search_look import BEHIND_MS, SearchLook
from stores.catalogue_log import CatalogueLog
from streams.indexer import GROUP
from tests.clock import Clock
from tests.memory_log import MemoryLog


class Engine:
    """An index that answers, or does not."""

    def __init__(self) -> None:
        self.is_away = False

    async def propose(self, *_: Any, **__: Any) -> list[Any]:
        if self.is_away:
            raise Unavailable("no node answers")
        return []


class Scene:
    def __init__(self) -> None:
        self.clock, self.engine = Clock(), Engine()
        self.log = CatalogueLog(MemoryLog(self.clock, partitions=1))
        engine: Any = self.engine
        self.look = SearchLook(engine, self.log, self.clock)


async def test_search_is_well() -> None:
    scene = Scene()

    assert await scene.look.status() == {"engine": "ok", "behind_ms": 0}
    assert await scene.look.trouble() is None


async def test_an_engine_that_is_away_is_told() -> None:
    scene = Scene()
    scene.engine.is_away = True

    assert (await scene.look.status())["engine"] == "away"
    assert await scene.look.trouble() == "the engine is away"


@pytest.mark.parametrize(("more_ms", "trouble"), [(0, None), (1_000, "61 s behind")])
async def test_an_index_that_is_behind_is_told(more_ms: int, trouble: str | None) -> None:
    scene = Scene()
    await scene.log.publish([Artist("a", "Air")])
    scene.clock.advance(BEHIND_MS + more_ms)
    waited = await scene.look.status()
    told = await scene.look.trouble()
    await scene.log.commit(await scene.log.end(), GROUP)

    assert (waited["behind_ms"], told) == (BEHIND_MS + more_ms, trouble)
    assert (await scene.look.status())["behind_ms"] == 0
