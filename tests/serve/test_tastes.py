from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from domain.catalogue import Track
from domain.errors import Unavailable, UnreadableRecord
from domain.positions import NEVER
from domain.ranking import Taste
from domain.rows import Play
from serve import tastes
from serve.tastes import KEPT_MS, MUCH_LIKED, Tastes
from tests.clock import Clock


class Scene:
    """What somebody played, and how often it was asked for."""

    def __init__(self) -> None:
        self.clock, self.asked = Clock(), 0
        self.track_ids: list[str] = []
        self.error: Exception | None = None
        entities: Any = self
        self.tastes = Tastes(self, entities, now_ms=self.clock)

    async def plays_before(
        self, listener_id: str, before: tuple[int, int] | None, limit: int
    ) -> Sequence[Play]:
        self.asked += 1
        if self.error:
            raise self.error
        return [
            Play(number, track_id, "", number, number, 1, True, "", "", NEVER)
            for number, track_id in enumerate(self.track_ids[:limit])
        ]

    async def tracks(self, ids: Iterable[str]) -> dict[str, Track]:
        return {each: Track(each, each, (each[0],)) for each in ids if each != "unknown"}


async def test_who_is_played_much_is_liked_much() -> None:
    scene = Scene()
    scene.track_ids = ["a1"] * MUCH_LIKED + ["a2", "b1", "unknown"]

    assert (await scene.tastes.of("ann")).artists == {"a": 1.0, "b": 1 / MUCH_LIKED}


async def test_a_taste_is_read_again_after_a_while() -> None:
    scene = Scene()
    for more_ms in (0, KEPT_MS - 1, 1):
        scene.clock.advance(more_ms)
        await scene.tastes.of("ann")

    assert scene.asked == 2


@pytest.mark.parametrize("error", [Unavailable("locked"), UnreadableRecord("damaged")])
async def test_nothing_is_liked_while_it_cannot_be_read(error: Exception) -> None:
    scene = Scene()
    scene.error = error

    assert await scene.tastes.of("ann") == Taste()
    scene.error, scene.track_ids = None, ["a1"]
    assert (await scene.tastes.of("ann")).artists


async def test_the_oldest_tastes_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tastes, "MOST_KEPT", 2)
    scene = Scene()
    for listener_id in ("ann", "bob", "eve", "bob", "ann"):
        await scene.tastes.of(listener_id)

    assert scene.asked == 4
