"""A seed's run: what happens, in which order, to whom; then the comparison with the oracle."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from domain.units import DAY_MS, HOUR_MS
from stores.listening import Listening
from tests.simulator.clients import Clients
from tests.simulator.comparison import Wrong
from tests.simulator.ledger import Ledger
from tests.simulator.life import SETTINGS, Life
from tests.simulator.listeners import Listeners
from tests.simulator.rivals import Rivals, rates
from tests.simulator.tuning import is_expected, tuned
from tests.simulator.virtual_time import run
from tests.simulator.world import LATEST_S, NO_STRESS, Fault, Stress, World

MOST_GENERATIONS = 3
LIMIT_S = 300.0  # within which everything must be in, once nothing fails any more
LEAPS_MS = (-HOUR_MS, HOUR_MS, 25 * HOUR_MS, 8 * DAY_MS)
OFF_MS = 100 * DAY_MS
LEAPS = 3
ENCORES = 4  # requests that are posted when everything is in
AWAY_S = (0.5, 3.0, 30.0)
STALLS_S = (1.0, 5.0, 30.0)
ZOMBIES_S = (1.0, 5.0, 30.0, 180.0, 180.0)
TRIM_S = 6.0  # within which what was committed is trimmed
MOST_RARE = (1, 2, 2, 3, 5)
OFTEN = ("post",) * 14 + ("look",) * 2
RARE = (
    Fault.CRASH,
    Fault.ZOMBIE,
    Fault.STALL,
    Fault.TAILER_CRASH,
    Fault.TAILER_ZOMBIE,
    Fault.CRASH_OF_ALL,
    Fault.STOP,
    Fault.SPLIT,
    Fault.SHARDS,
    Fault.GENERATION,
    Fault.STORE_AWAY,
    Fault.LOG_AWAY,
    Fault.LEAP,
    Fault.OFF,
    Fault.ERASE,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a seed's run ended."""

    seed: int
    error: str
    occurred: Counter[Fault]
    trace: list[str]

    @property
    def digest(self) -> str:
        """The whole trace in a few characters."""
        return blake2b("\n".join(self.trace).encode(), digest_size=8).hexdigest()


def simulate(seed: int, stress: Stress = NO_STRESS) -> Outcome:
    """Run a seed to its end; then its rivals, in a world of their own."""
    world, other = World(seed, stress), World(seed, rates(seed))
    error = _lived(world, Simulation(world).run) or _lived(other, Rivals(other).run)
    return Outcome(seed, error, world.occurred + other.occurred, world.trace + other.trace)


def _lived(world: World, life: Callable[[], Coroutine[Any, Any, None]]) -> str:
    """Live in a world to the end; tells what was wrong."""
    with tuned(world):
        try:
            run(life)
        except Exception as raised:
            return f"{type(raised).__name__}: {raised}"
    return f"unexpected: {world.unexpected[0]!r}" if world.unexpected else ""


class Simulation:
    """One world, lived from its beginning to its end."""

    def __init__(self, world: World) -> None:
        self._world, self._dice = world, world.dice
        rows = Listening(world.tables, week_ttl_s=SETTINGS.week_ttl_s)
        self._ledger, self._listeners = Ledger(world, rows), Listeners(world)
        self._lives: list[Life] = []
        self._clients = Clients(world, self._ledger, lambda: self._life)
        self._leaps_left = LEAPS
        drawn = world.dice.sample(RARE, world.dice.choice(MOST_RARE))
        self._rare = world.stress.rare or drawn
        self._pace_s = world.dice.choice((0.05, 0.2, 1.0))

    async def run(self) -> None:
        """Let things happen, then let everything come to rest, and compare."""
        await self._begin()
        for _ in range(self._dice.randint(15, 60)):
            await asyncio.sleep(self._dice.expovariate(1.0) * self._pace_s)
            await self._let_happen()
            if self._life.failed:
                await self._after_failure()
        await self._finish()

    @property
    def _life(self) -> Life:
        return self._lives[-1]

    # --- what happens ----------------------------------------------------------------------------

    async def _let_happen(self) -> None:
        if self._rare and self._dice.random() < 0.25:
            await self._strike(self._dice.choice(self._rare))
        elif self._dice.choice(OFTEN) == "post":
            self._clients.post(self._listeners.post())
        else:
            await self._ledger.look()

    async def _strike(self, fault: Fault) -> None:
        match fault:
            case Fault.CRASH | Fault.ZOMBIE | Fault.STALL:
                self._strike_shard(fault)
            case Fault.TAILER_CRASH:
                self._life.crash_tailer()
                self._world.happened(fault)
            case Fault.TAILER_ZOMBIE:
                self._life.start_tailer()
                self._world.happened(fault)
            case Fault.STORE_AWAY | Fault.LOG_AWAY | Fault.LEAP | Fault.ERASE:
                self._strike_outside(fault)
            case _:
                await self._start_anew(fault)

    def _strike_shard(self, fault: Fault) -> None:
        number = self._dice.randrange(len(self._life.shards))
        if not self._life.shards[number].process.alive:
            return
        self._world.happened(fault)
        if fault is Fault.CRASH:
            self._life.shards[number].process.kill()
        elif fault is Fault.ZOMBIE:
            self._life.leave_zombie(number, self._dice.choice(ZOMBIES_S))
        else:
            self._life.shards[number].process.pause(self._dice.choice(STALLS_S))

    def _strike_outside(self, fault: Fault) -> None:
        until = asyncio.get_running_loop().time() + self._dice.choice(AWAY_S)
        if fault is Fault.STORE_AWAY:
            self._world.store_backend.away_until = until
        elif fault is Fault.LOG_AWAY:
            self._world.log_backend.away_until = until
        elif fault is Fault.ERASE:
            self._clients.erase(self._listeners.name())
        elif self._leaps_left:
            self._leaps_left -= 1
            self._world.leapt_ms += self._dice.choice(LEAPS_MS)
            self._world.happened(fault)

    # --- starts ----------------------------------------------------------------------------------

    async def _start_anew(self, fault: Fault) -> None:
        world = self._world
        if fault is Fault.SHARDS:
            world.shards = self._dice.randint(1, 3)
        if fault is Fault.GENERATION:
            if len(await world.log.generations()) == MOST_GENERATIONS:
                return
            world.partitions = self._dice.choice([n for n in (1, 2, 3) if n != world.partitions])
        if fault is Fault.OFF:
            self._switch_off()
        world.happened(fault)
        ending = fault
        if fault in {Fault.SHARDS, Fault.GENERATION}:
            ending = self._dice.choice((Fault.CRASH_OF_ALL, Fault.STOP, Fault.SPLIT))
        if ending is Fault.STOP:
            await self._life.stop()
        elif ending is Fault.SPLIT:
            self._life.split()
        else:
            self._life.kill()
        await self._begin()

    def _switch_off(self) -> None:
        """No process and no message outlives this: week rows expire meanwhile."""
        self._kill_all()
        self._world.boots += 1
        self._world.leapt_ms += OFF_MS

    async def _begin(self) -> None:
        """Start everything; what interrupts or fails the start is followed by another one."""
        patience_s = self._patience_s()
        while True:
            self._lives.append(Life(self._world, len(self._lives)))
            beginning = self._life.driver.run(self._life.begin())
            await asyncio.wait([beginning], timeout=patience_s)
            patience_s = None
            if not beginning.done():
                self._world.happened(Fault.INTERRUPTED)
            elif beginning.exception() is None:
                return
            elif not is_expected(beginning.exception()):
                raise Wrong("it did not start") from beginning.exception()
            self._life.kill()
            await asyncio.sleep(0.2)

    def _patience_s(self) -> float | None:
        if self._world.calm or self._dice.random() < 0.7:
            return None
        return self._dice.choice((0.005, 0.05, 0.5))

    async def _after_failure(self) -> None:
        """The driver ends with its tailer, and the supervisor starts everything anew."""
        following = self._life.following
        error = following.exception() if following else None
        if not is_expected(error):
            raise Wrong(f"the tailer ended: {error!r}")
        await asyncio.sleep(self._dice.choice((0.0, 1.0, 3.0)))  # until somebody looks
        self._life.kill()
        await self._begin()

    # --- the end ---------------------------------------------------------------------------------

    async def _finish(self) -> None:
        """See that all is in when nothing fails any more, and still when the last zombie is heard."""
        self._post_rest()
        await self._within_limit(self._clients.done())
        if self._dice.random() < 0.7:
            # applied and forgotten, and no later record that would show it
            await asyncio.sleep(self._dice.choice((0.1, 1.0, 5.0)))
            await self._strike(self._dice.choice((Fault.CRASH, Fault.CRASH, *self._rare)))
        self._calm_down()
        await self._within_limit(self._all_in())
        await self._ledger.settle()
        if self._dice.random() < 0.4:
            await self._outdo_everybody()
        await asyncio.sleep(TRIM_S)
        self._wake_zombies()
        await self._post_more()
        await asyncio.sleep(3.0 * self._world.conditions.commit_window_ms / 1_000)
        await self._within_limit(self._all_in())
        self._kill_all()
        await asyncio.sleep(LATEST_S)  # what is still on its way arrives
        await self._ledger.settle()

    async def _outdo_everybody(self) -> None:
        """Let others go on where all shards know everything, and trim it."""
        for number in range(len(self._life.shards)):
            self._life.leave_zombie(number, ZOMBIES_S[-1])
            self._world.happened(Fault.ZOMBIE)
        await self._post_more()
        await self._within_limit(self._all_in())

    async def _post_more(self) -> None:
        for _ in range(ENCORES):
            self._clients.post(self._listeners.post())
            await asyncio.sleep(0.5)
        self._post_rest()

    def _post_rest(self) -> None:
        while rest := self._listeners.rest():
            self._clients.post(rest)

    def _wake_zombies(self) -> None:
        for life in self._lives:
            for process in life.zombies:
                process.pause(0.0)

    def _kill_all(self) -> None:
        for life in self._lives:
            for process in life.processes:
                process.kill()

    def _calm_down(self) -> None:
        self._world.calm = True
        self._world.store_backend.away_until = self._world.log_backend.away_until = 0.0

    async def _all_in(self) -> None:
        await self._clients.done()
        while await self._ledger.behind() or self._life.failed:
            if self._life.failed:
                await self._after_failure()
            await asyncio.sleep(1.0)

    async def _within_limit(self, call: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(LIMIT_S):
                await call
        except TimeoutError:
            raise Wrong(f"not in after {LIMIT_S:.0f} s: {await self._ledger.behind()}") from None
