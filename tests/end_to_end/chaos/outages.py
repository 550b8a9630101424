"""What happens to servers, and to processes that are frozen instead of killed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.end_to_end.chaos.backends import freeze
from tests.end_to_end.chaos.instance import Instance
from tests.end_to_end.chaos.victims import AT_ONCE_S, REST_S, VICTIMS, Victim

START_S = 30.0  # of a server on a busy machine


@dataclass(frozen=True, slots=True)
class Server(Victim):
    """A server that is killed, and started again by whoever looks after servers."""

    def kill(self, instance: Instance, rng: random.Random) -> Sequence[int]:
        """Kill it."""
        return [instance.servers.kill(self.title)]

    def count(self, instance: Instance) -> int:
        """One."""
        return 1

    def replaced(self, instance: Instance, killed: Sequence[int]) -> bool:
        """Whether it answers again."""
        return instance.servers.answers(self.title)


@dataclass(frozen=True, slots=True)
class FrozenServer(Server):
    """A server that stops in the middle of what it does for a while, and then goes on."""

    seconds: float = 0.0
    verb = "frozen"

    def kill(self, instance: Instance, rng: random.Random) -> Sequence[int]:
        """Freeze it."""
        return [instance.servers.freeze(self.title, self.seconds)]


@dataclass(frozen=True, slots=True)
class CutOff(FrozenServer):
    """A server to which nothing gets through for a while; it goes on, and so do its clients."""

    verb = "cut off"

    def kill(self, instance: Instance, rng: random.Random) -> Sequence[int]:
        """Cut its cable."""
        return [instance.servers.cut(self.title, self.seconds)]


@dataclass(frozen=True, slots=True)
class Disconnected(Server):
    """A server that loses every connection in the middle of whatever is said."""

    verb = "disconnected"

    def kill(self, instance: Instance, rng: random.Random) -> Sequence[int]:
        """Tear out its cable."""
        return [instance.servers.tear_out(self.title)]


@dataclass(frozen=True, slots=True)
class Frozen(Victim):
    """A process of ours that sleeps for a while, and then goes on as if nothing had been."""

    seconds: float = 0.0
    verb = "frozen"

    def kill(self, instance: Instance, rng: random.Random) -> Sequence[int]:
        """Freeze one."""
        found = instance.find(self.title)
        asleep = rng.sample(found, min(1, len(found)))
        for pid in asleep:
            freeze(pid, self.seconds)
        return asleep

    def replaced(self, instance: Instance, killed: Sequence[int]) -> bool:
        """Whether there is one: the frozen one, or another in its place."""
        return bool(instance.find(self.title))


def outages(frozen_s: float) -> tuple[Victim, ...]:
    """Tell what befalls an `up` on servers; the frozen sleep that long."""
    ours = [
        victim
        for victim in VICTIMS
        if victim.name in {"shard", "ingest replica", "driver", "supervisor", "everything"}
    ]
    consumer = Victim("consumer", "ray::_Consumer")
    late_s = REST_S + frozen_s
    return (
        *ours,
        consumer,
        Server("Kafka", "kafka", REST_S + START_S),
        Server("Cassandra", "cassandra", REST_S + START_S),
        Server("Redis", "redis", AT_ONCE_S),
        FrozenServer("Kafka", "kafka", late_s, seconds=frozen_s),
        FrozenServer("Cassandra", "cassandra", late_s, seconds=frozen_s),
        FrozenServer("Redis", "redis", late_s, seconds=frozen_s),
        CutOff("Kafka", "kafka", late_s, seconds=frozen_s),
        CutOff("Cassandra", "cassandra", late_s, seconds=frozen_s),
        CutOff("Redis", "redis", late_s, seconds=frozen_s),
        Disconnected("Kafka", "kafka", REST_S),
        Disconnected("Cassandra", "cassandra", REST_S),
        Disconnected("Redis", "redis", AT_ONCE_S),
        Frozen("shard", "ray::_Shard", late_s, seconds=frozen_s),
        Frozen("consumer", consumer.title, late_s, seconds=frozen_s),
    )
