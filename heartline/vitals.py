"""The processes of Ray whose loss nothing on one machine makes good: seen as they come and as they go."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from heartline import processes

LOOK_S = 0.1
VITAL = MappingProxyType(
    {  # what a command has in it, or the title that agents give themselves after a second
        "/raylet/raylet ": "the raylet",
        "/gcs/gcs_server ": "the GCS server",
        "/runtime_env/agent/main.py ": "the runtime-env agent",
        "ray::RuntimeEnvAgent": "the runtime-env agent",
        "/dashboard/agent.py ": "the dashboard agent",
        "ray::DashboardAgent": "the dashboard agent",
    }
)

CHILDREN = MappingProxyType(
    {"raylet": "the raylet", "gcs_server": "the GCS server"}
)  # the driver's


async def one_gone(
    family: Callable[[], Iterable[int]],
    *,
    fallen: Callable[[], Iterable[str]] = tuple,
    vital: Mapping[str, str] = VITAL,
) -> str:
    """Return when a vital process among the *family* has ended; which one it was.

    It looks for all of them from the start on: one that dies while others are starting is missed too,
    and one that came and went between two looks, of which *fallen* tells the program's name. Ray's
    driver waits 30 s for the raylet, whether it lives or not.
    """
    known: dict[int, str] = {}
    while True:
        for pid, what in known.items():
            if not processes.lives(pid):
                return what
        complete = set(known.values()) == set(vital.values())
        if not complete and (unseen := CHILDREN.keys() & set(fallen())):
            return CHILDREN[min(unseen)]
        # What was known is named anew: a child carries its parent's command until it has its own.
        named = dict(_vital(known if complete else family(), vital))
        known = {pid: what for pid, what in known.items() if not processes.command(pid)} | named
        await asyncio.sleep(LOOK_S)


def _vital(pids: Iterable[int], vital: Mapping[str, str]) -> Iterable[tuple[int, str]]:
    for pid in pids:
        command = processes.command(pid)
        found = [what for mark, what in vital.items() if mark in command]
        if found and _is_a_program(pid, command):
            yield pid, found[0]  # a raylet names its agents, too


def _is_a_program(pid: int, command: str) -> bool:
    """Whether *command* is its own: between fork and exec a child has its parent's, and may soon end."""
    parent = processes.parent(pid)
    return parent != 0 and processes.command(parent) != command
