"""Exactly once in every interleaving: several owners of one partition, stopped at any await."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import actors.partition
from actors.partition import Partition
from domain.batches import batch_of
from domain.errors import Unavailable
from domain.heartbeats import Heartbeat, Kind
from domain.payloads import encode
from domain.ports import Key, Record, StampedRow, Table
from domain.positions import SHARDS, Generation
from domain.units import DAY_MS
from stores.listening import Listening
from tests.clock import Clock
from tests.memory_log import MemoryLog
from tests.memory_tables import MemoryTables
from tests.simulator.comparison import Bounds, compare
from tests.strategies import EDGES, LISTENERS, heartbeats

GENERATION = Generation(0, 1)
WEEK_TTL_S = 90 * 86_400
OWNERS = 3
EXAMPLES = 150
START = max(EDGES.values()) + DAY_MS

Fate = Exception | None


class Broken(Exception):
    """Raised by a backend for a reason that nobody expects."""


class Gate:
    """Where calls to a backend wait until the test says what becomes of them."""

    def __init__(self) -> None:
        self.open = True
        self.waiting: list[asyncio.Future[None]] = []

    async def __call__(self) -> None:
        if not self.open:
            waiter = asyncio.get_running_loop().create_future()
            self.waiting.append(waiter)
            await waiter

    async def release(self, place: int, fate: Fate = None) -> None:
        """Let one of those who wait go on, or fail; then everybody runs up to the next gate."""
        waiting = [each for each in self.waiting if not each.done()]
        if waiting:
            one = waiting[place % len(waiting)]
            if fate is None:
                one.set_result(None)
            else:
                one.set_exception(fate)
        await rest()
        self.waiting = [each for each in self.waiting if not each.done()]


class GatedTables(MemoryTables):
    """The store in dictionaries, with gates; a write may be stopped halfway."""

    def __init__(self, clock: Clock, gate: Gate) -> None:
        super().__init__(clock)
        self._gate = gate

    async def read_stamped(self, table: Table, keys: Sequence[Key]) -> list[StampedRow | None]:
        await self._gate()
        return await super().read_stamped(table, keys)

    async def scan_stamped(self, table: Table, partition: Key, **within: Any) -> list[StampedRow]:
        await self._gate()
        return await super().scan_stamped(table, partition, **within)

    async def write_stamped(self, writes: Sequence[tuple[Table, Sequence[StampedRow]]]) -> None:
        flat = [(table, [row]) for table, rows in writes for row in rows]
        half = len(flat) // 2
        for part in (flat[:half], flat[half:]):
            await self._gate()
            await super().write_stamped(part)
        await self._gate()

    async def erase_stamped(self, table: Table, partition: Key, *, stamp: int) -> None:
        await self._gate()
        await super().erase_stamped(table, partition, stamp=stamp)


class GatedLog(MemoryLog):
    """The log in a list, with a gate before what a partition asks of it."""

    def __init__(self, clock: Clock, gate: Gate) -> None:
        super().__init__(clock, partitions=1)
        self._gate = gate

    async def committed(self, group: str, generation: Generation) -> list[int]:
        await self._gate()
        return await super().committed(group, generation)

    async def commit(self, group: str, generation: Generation, offsets: Any) -> None:
        await self._gate()
        await super().commit(group, generation, offsets)


class Owner:
    """A partition and the calls that run on it."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.wanted = 0
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin a call, unless one of that name is still on its way."""
        if name not in self._tasks or self._tasks[name].done():
            self._tasks[name] = asyncio.create_task(call())

    async def cancel(self) -> None:
        """Stop its calls where they stand."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks = {}


class House:
    """A log, a store and the owners of one partition."""

    def __init__(self, said: Sequence[Sequence[Heartbeat]], erased: str) -> None:
        self.clock, self.gate = Clock(START), Gate()
        self.log = GatedLog(self.clock, self.gate)
        tables = GatedTables(self.clock, self.gate)
        self.listening = Listening(tables, week_ttl_s=WEEK_TTL_S)
        self.owners = [Owner(self.partition()) for _ in range(OWNERS)]
        self.said = [*said, [erase(erased)]] if erased else said

    def partition(self) -> Partition:
        return Partition(
            GENERATION,
            0,
            listening=self.listening,
            log=self.log,
            now_ms=self.clock,
            sleep=lambda _: asyncio.sleep(0),
        )

    @property
    def records(self) -> list[Record]:
        return self.log.records[0, 0]

    async def append(self) -> None:
        if len(self.records) < len(self.said):
            await self.log.append([(0, encode(batch_of(self.said[len(self.records)])))])

    async def feed(self, owner: Owner, shift: int = 0) -> None:
        """Hand over what follows, from *shift* records too early or too late on."""
        offset = max(0, owner.wanted + shift)
        with suppress(Broken):
            owner.wanted = await owner.partition.apply(offset, self.records[offset:])

    async def flush(self, owner: Owner) -> None:
        with suppress(Broken):
            await owner.partition.flush()

    async def tell_caught_up(self, owner: Owner, ahead: int) -> None:
        with suppress(Broken):
            if owner.wanted + ahead == len(self.records):
                await owner.partition.caught_up(owner.wanted + ahead, self.clock())

    async def finish(self, place: int) -> None:
        """Stop everybody, then let each take the rest; *place*: when it is a new owner's turn."""
        for owner in self.owners:
            await owner.cancel()
        self.gate.open = True
        while len(self.records) < len(self.said):
            await self.append()
        self.owners.insert(place, Owner(self.partition()))
        for owner in self.owners:
            await self.flush(owner)
            owner.wanted = await owner.partition.open()
            await self.feed(owner)
            await self.flush(owner)

    # --- what the store says ---------------------------------------------------------------------

    async def look(self) -> None:
        """See that what was promised is in the rows, and nothing that nobody said."""
        was_open, self.gate.open = self.gate.open, True
        progress = await self.listening.progress(0, 0)
        committed = self.log.commits[SHARDS, 0, 0]
        complete = sum(record.appended_ms < progress.complete_ms for record in self.records)
        await self.compare(max(committed, complete), counted=committed)
        self.gate.open = was_open

    async def compare(self, complete: int, *, counted: int) -> None:
        """Compare with the oracle: rows hold *complete* records at least, and *counted* plays'."""
        every = self.said[: len(self.records)]
        bounds = Bounds(flat(every[:complete]), flat(every[:counted]), flat(every))
        await compare(self.listening, bounds, self.clock())


def erase(listener: str) -> Heartbeat:
    return Heartbeat(id="erase", listener_id=listener, track_id="-", kind=Kind.ERASE, at=0)


def flat(said: Sequence[Sequence[Heartbeat]]) -> list[Heartbeat]:
    return [beat for record in said for beat in record]


class Action(NamedTuple):
    """What happens next, to whom (an owner, or somebody at the gate), and how."""

    name: str
    whom: int
    how: int


OFTEN = ("append", "append", "apply", "apply", "flush", "flush", "go on", "run", "run", "look")
RARELY = ("fail", "break", "cancel", "crash", "caught up", "advance")
ACTIONS = st.lists(
    st.builds(Action, st.sampled_from(OFTEN + RARELY), st.integers(0, 5), st.integers(0, 3)),
    min_size=30,
    max_size=60,
)


async def act(house: House, action: Action) -> None:
    """Do one thing; then everybody runs up to the next gate."""
    match action.name:
        case "append":
            house.clock.advance(action.how)
            await house.append()
        case "advance":
            house.clock.advance(100 * DAY_MS if action.how == 0 else 1)
        case "look":
            await house.look()
        case "apply" | "flush" | "caught up" | "cancel" | "crash":
            await act_on(house, action)
        case _:
            await act_at_gate(house.gate, action)
    await rest()


async def act_on(house: House, action: Action) -> None:
    owner = house.owners[action.whom % OWNERS]
    match action.name:
        case "apply":
            owner.start("apply", lambda: house.feed(owner, (0, 0, 1, -1)[action.how]))
        case "flush":
            owner.start("flush", lambda: house.flush(owner))
        case "caught up":
            owner.start("caught up", lambda: house.tell_caught_up(owner, action.how % 2))
        case _:
            await owner.cancel()
            if action.name == "crash":
                house.owners[action.whom % OWNERS] = Owner(house.partition())


async def act_at_gate(gate: Gate, action: Action) -> None:
    match action.name:
        case "go on":
            await gate.release(action.whom)
        case "run":
            for _ in range(6 * (action.how + 1)):
                await gate.release(action.whom)
        case "fail":
            await gate.release(action.whom, Unavailable("away"))
        case "break":
            await gate.release(action.whom, Broken())


async def rest() -> None:
    """Let everybody run up to the next gate."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True, scope="module")
def _forgetful() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(actors.partition, "SWEEP_EVERY", 2)
        yield


@given(
    beats=heartbeats(),
    size=st.integers(1, 4),
    erased=st.sampled_from(("", "", *LISTENERS)),
    actions=ACTIONS,
    place=st.integers(0, OWNERS),
)
@settings(max_examples=EXAMPLES)
def test_in_every_interleaving_the_store_is_what_the_oracle_says_of_the_log(
    beats: list[Heartbeat], size: int, erased: str, actions: list[Action], place: int
) -> None:
    async def live() -> None:
        house = House(said, erased)
        house.gate.open = False
        for action in actions:
            await act(house, action)
        await house.finish(place)
        await house.compare(len(house.said), counted=len(house.said))

    said = [beats[start : start + size] for start in range(0, len(beats), size)]
    asyncio.run(live())
