"""A partition moves from shard to shard, shards are replaced, and the old ones wake up late: nothing is lost."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from actors.assignment import Assignment, Move
from actors.listener_shard import ListenerShard
from actors.routed_shards import RoutedShards
from domain.units import SECOND_MS
from tests.actors.test_listener_shard import shard_of
from tests.actors.test_partition import GENERATION, House, beats

SHARDS = range(3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["append", "hand over"]), st.just(0)),
        st.tuples(st.sampled_from(["move", "replace", "wake"]), st.sampled_from(SHARDS)),
    ),
    max_size=25,
)


class Moving:
    """A log of one partition, its consumer, and shards that come and go."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.shards = {number: self._shard() for number in SHARDS}
        self.zombies: list[ListenerShard] = []
        self.assignment = Assignment.dealt(1, [0])
        self.routed = RoutedShards(self._current, self.shards.__getitem__)
        self.appended = self.wanted = 0

    async def step(self, what: str, number: int) -> None:
        self.house.clock.advance(SECOND_MS)
        match what:
            case "append":
                play, at = f"play-{self.appended}", 100 * self.appended
                await self.house.log.put(beats(at, at + 30, play=play))
                self.appended += 1
            case "hand over":
                await self.hand_over()
            case "move":
                self.assignment = self.assignment.after(Move(0, self.assignment.owners[0], number))
            case "replace":
                self.zombies.append(self.shards[number])
                self.shards[number] = self._shard()
            case "wake":
                for zombie in self.zombies[:number]:
                    await zombie.release(0)

    async def hand_over(self) -> None:
        records = await self.house.log.read(GENERATION, 0, self.wanted, most_bytes=1 << 20)
        self.wanted = await self.routed.apply(0, self.wanted, records)

    async def finish(self) -> None:
        await self.hand_over()
        while self.wanted < self.appended:
            await self.hand_over()
        for shard in [*self.shards.values(), *self.zombies]:
            await shard.close()

    async def _current(self) -> Assignment:
        return self.assignment

    def _shard(self) -> ListenerShard:
        return shard_of(self.house, commit_window_ms=60_000)


@given(STEPS)
async def test_everything_is_counted_once(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder:
        moving = Moving(Path(folder))
        for what, number in steps:
            await moving.step(what, number)
        await moving.finish()

        assert await moving.house.listened_ms() == 30 * SECOND_MS * moving.appended
        assert await moving.house.listening.track_plays(["t1"]) == [moving.appended]
        await moving.house.tables.close()
