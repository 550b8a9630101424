"""Who is killed: the parts of one `up`, found by their titles among the supervisor's descendants."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from heartline import processes
from tests.end_to_end.chaos.instance import Instance

AT_ONCE_S = 3.0  # a shard or a replica is back within this
REST_S = 30.0  # everything else


@dataclass(frozen=True, slots=True)
class Victim:
    """A part that is killed, and within how many seconds the service is to be back."""

    name: str
    title: str
    goal_s: float = REST_S
    every: bool = False  # all processes of that title, not one of them
    verb: ClassVar[str] = "killed"

    def __str__(self) -> str:
        return f"{self.name} {self.verb}"

    def kill(self, instance: Instance, rng: random.Random) -> Sequence[int]:
        """Kill it with SIGKILL; the processes that were, none when it is not there just now."""
        found = instance.find(self.title)
        doomed = found if self.every else rng.sample(found, min(1, len(found)))
        processes.kill(doomed)
        return doomed

    def count(self, instance: Instance) -> int:
        """Tell how many there are now."""
        return len(instance.find(self.title))

    def replaced(self, instance: Instance, killed: Sequence[int]) -> bool:
        """Whether another is there in the place of each that was *killed*."""
        found = instance.find(self.title)
        return bool(found) and not set(found) & set(killed)


@dataclass(frozen=True, slots=True)
class Supervisor(Victim):
    """The supervisor alone; it is started again at once, as an init system would."""

    def kill(self, instance: Instance, rng: random.Random) -> Sequence[int]:
        """Kill it, and start it again on the same directory."""
        pid = instance.pid
        instance.kill_supervisor()
        instance.begin()
        return [pid]


@dataclass(frozen=True, slots=True)
class Everything(Victim):
    """The whole tree of processes at one instant, as when the machine loses its power."""

    def kill(self, instance: Instance, rng: random.Random) -> Sequence[int]:
        """Kill it, and start it again on the same directory."""
        pid = instance.pid
        instance.kill_everything()
        instance.begin()
        return [pid]


SUPERVISOR = "heartline up"
VICTIMS = (
    Victim("shard", "ray::_Shard", AT_ONCE_S),
    Victim("tailer", "ray::_Tailer"),
    Victim("cataloguer and indexer", "ray::_Catalogue"),
    Victim("ingest replica", "ray::ServeReplica:ingest:", AT_ONCE_S),
    Victim("read replica", "ray::ServeReplica:listening:", AT_ONCE_S),
    Victim("main replica", "ray::ServeReplica:main:", AT_ONCE_S),
    Victim("HAProxy", "/haproxy -db", every=True),
    Victim("HAProxy manager", "ray::HAProxyManager"),
    Victim("Serve controller", "ray::ServeController"),
    Victim("Serve proxy", "ray::ProxyActor"),
    Victim("raylet", "/raylet/raylet "),
    Victim("GCS", "/gcs/gcs_server "),
    Victim("runtime-env agent", "ray::RuntimeEnvAgent"),
    Victim("dashboard agent", "ray::DashboardAgent"),
    Victim("driver", "-m heartline.driver"),
    Supervisor("supervisor", "-m heartline.driver"),
    Everything("everything", "-m heartline.driver"),
)
