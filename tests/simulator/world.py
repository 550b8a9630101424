"""What everybody in a simulated run shares: the seed's dice, the clocks, the log and the store."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from domain.units import DAY_MS, HOUR_MS, MINUTE_MS
from tests.clock import MONDAY_MS
from tests.memory_log import MemoryLog, Part
from tests.memory_tables import MemoryTables
from tests.simulator.versioned_rows import VersionedRows


class Fault(StrEnum):
    """What goes wrong; counted where it really had an effect."""

    # that strike a call
    REFUSED = "call refused"
    LOST = "acknowledgement lost"
    LATE = "write that arrives after its caller gave up"
    HALF = "flush applied by half"
    BROKEN = "call that fails as nobody expects"
    BACK = "commit that goes back"
    AGAIN = "records delivered again, later"
    EARLY = "records delivered too early"
    MEMORY = "out of memory"
    KILLED = "killed in the middle of a flush"
    # that happen to processes and backends
    CRASH = "crash of a shard"
    ZOMBIE = "zombie shard"
    STALL = "shard that stands still for a while"
    TAILER_CRASH = "crash of the tailer"
    TAILER_ZOMBIE = "zombie tailer"
    CRASH_OF_ALL = "crash of everything"
    STOP = "clean stop and start"
    SPLIT = "everything started twice"
    SHARDS = "other number of shards"
    GENERATION = "other number of partitions"
    INTERRUPTED = "start interrupted while it settles the generation"
    STORE_AWAY = "store away"
    LOG_AWAY = "log away"
    LEAP = "clock that leaps"
    OFF = "machine off for months"
    ERASE = "listener erased"
    # that strike conditional writes, and those who make them
    UNFINISHED = "conditional write left unfinished"
    RIVAL_CRASH = "crash of a rival"
    RIVAL_STALL = "rival that stands still for a while"
    # that clients bring about
    REPEATED = "heartbeat sent again"
    LATE_BEAT = "heartbeat from an earlier hour"
    TOO_OLD = "heartbeat refused as too old"


STRIKING = (
    Fault.REFUSED,
    Fault.LOST,
    Fault.LATE,
    Fault.HALF,
    Fault.BROKEN,
    Fault.BACK,
    Fault.AGAIN,
    Fault.EARLY,
    Fault.MEMORY,
    Fault.KILLED,
)
RATES = (0.02, 0.1, 0.3)
RATES_OF_FAILURES = (0.02, 0.1)  # after which something begins anew
FAILURES = {Fault.BROKEN, Fault.MEMORY}
MOST_KINDS = (0, 1, 1, 2, 2, 4)  # a seed has few kinds of fault, but those often
PATIENCE_S = 1.0  # after which a caller gives up
LATEST_S = 90.0  # a write on its way arrives within that time
STARTS_MS = (
    MONDAY_MS - MINUTE_MS,  # the edge of a week, a day, an hour and a quarter
    MONDAY_MS + 3 * DAY_MS - MINUTE_MS,
    MONDAY_MS + 3 * DAY_MS + 10 * HOUR_MS - MINUTE_MS,
    MONDAY_MS + 3 * DAY_MS + 10 * HOUR_MS + 14 * MINUTE_MS,
    MONDAY_MS + 3 * DAY_MS + 10 * HOUR_MS + 20 * MINUTE_MS,
)


class Broken(Exception):
    """Raised by a backend for a reason that nobody expects."""


@dataclass(slots=True)
class Backend:
    """The log or the store as others see it: there, or away until a time."""

    name: str
    away: Fault
    away_until: float = 0.0


@dataclass(slots=True)
class Conditions:
    """What a seed fixes for its whole run."""

    start_ms: int
    commit_window_ms: int
    sweep_every: int
    most_rows: int
    most_bytes: int
    log_bytes: int
    rates: dict[Fault, float] = field(default_factory=dict)

    @classmethod
    def drawn(cls, dice: Random) -> "Conditions":
        """Draw them."""
        return cls(
            start_ms=dice.choice(STARTS_MS),
            commit_window_ms=dice.choice((1_000, 3_000, 8_000)),
            sweep_every=dice.choice((1, 3, 20, 20)),
            most_rows=dice.choice((1, 4, 50_000)),
            most_bytes=dice.choice((1, 1_000, 1 << 20)),
            log_bytes=dice.choice((0, 0, 2_000, 1 << 30)),
            rates={
                fault: dice.choice(RATES_OF_FAILURES if fault in FAILURES else RATES)
                for fault in dice.sample(STRIKING, dice.choice(MOST_KINDS))
            },
        )


@dataclass(frozen=True, slots=True)
class Stress:
    """What a run has often, in place of what its seed would draw."""

    rates: Mapping[Fault, float] = field(default_factory=dict)
    rare: Sequence[Fault] = ()
    slow_plays_s: float = 0.0  # so long may it take to read plays


NO_STRESS = Stress()


class World:
    """One seed's world. Whatever is drawn comes from the seed, in the order of events."""

    def __init__(self, seed: int, stress: Stress = NO_STRESS) -> None:
        self.seed, self.dice, self.stress = seed, Random(seed), stress
        self.conditions = Conditions.drawn(self.dice)
        if stress.rates:
            self.conditions.rates = dict(stress.rates)
        self.leapt_ms, self.boots = 0, 0
        self.partitions = self.dice.randint(1, 3)
        self.shards = self.dice.randint(1, 3)
        self.consumers = Random(f"consumers of {seed}").choice((0, 1, 2))  # 0: the tailer
        self.log = MemoryLog(self.now_ms, self.partitions)
        # rows in one database, or on a cluster, where no write of several listeners is one
        self.cluster = Random(f"store of {seed}").random() < 0.5
        self.tables = MemoryTables(self.now_ms, larger_bytes=self.cluster)
        self.versioned = VersionedRows(
            Random(f"rows of {seed}"), self.now_ms, self._leaves_unfinished
        )
        self.store_backend = Backend("store", Fault.STORE_AWAY)
        self.log_backend = Backend("log", Fault.LOG_AWAY)
        self.promised: dict[Part, int] = defaultdict(int)  # the largest offset ever committed
        self.occurred: Counter[Fault] = Counter()
        self.unexpected: list[BaseException] = []
        self.trace: list[str] = []
        self.calm = False

    def now_ms(self) -> int:
        """The clock on the wall, which may leap."""
        return self.conditions.start_ms + self.leapt_ms + int(_loop_s() * 1_000)

    def latency(self) -> float:
        """How long a message is on its way, in seconds."""
        return self.dice.choice((0.0005, 0.001, 0.002, 0.005, 0.02, 0.1)) * (1 + self.dice.random())

    def strikes(self, fault: Fault) -> bool:
        """Draw whether a fault strikes here and now."""
        rate = 0.0 if self.calm else self.conditions.rates.get(fault, 0.0)
        return rate > 0 and self.dice.random() < rate

    def _leaves_unfinished(self) -> bool:
        if strikes := self.strikes(Fault.UNFINISHED):
            self.happened(Fault.UNFINISHED)
        return strikes

    def happened(self, fault: Fault) -> None:
        """Note that a fault really had an effect."""
        self.occurred[fault] += 1
        self.say("fault", fault)

    def say(self, who: str, what: str) -> None:
        """Note an event."""
        self.trace.append(f"{_loop_s():10.4f} {who:<14} {what}")


def _loop_s() -> float:
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return 0.0
