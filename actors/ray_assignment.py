"""Where the assignment stands: in Ray's own key-value store, which lives as long as the cluster."""

import asyncio
from collections.abc import Callable

from ray.exceptions import RayError
from ray.experimental.internal_kv import _internal_kv_del, _internal_kv_get, _internal_kv_put

from actors.assignment import Assignment
from domain.errors import Unavailable

NAMESPACE = b"heartline"
KEY = b"assignment"
REFRESH_S = 0.5  # how long a consumer may not know that a partition has moved


def put_assignment(assignment: Assignment) -> None:
    """Have everybody follow *assignment* from now on."""
    _internal_kv_put(KEY, assignment.encoded(), namespace=NAMESPACE)


def take_assignment() -> Assignment | None:
    """Tell what everybody follows; None where nothing was started."""
    document = _internal_kv_get(KEY, namespace=NAMESPACE)
    return Assignment.decoded(document) if document else None


def delete_assignment() -> None:
    """Forget it: nothing runs any more."""
    _internal_kv_del(KEY, namespace=NAMESPACE)


class RayAssignment:
    """The assignment as one process knows it, looked up again twice a second while it is asked for."""

    def __init__(self, take: Callable[[], Assignment | None] = take_assignment) -> None:
        self._take = take
        self._known: Assignment | None = None
        self._due_s = 0.0

    async def current(self) -> Assignment:
        """Tell the newest assignment seen; while Ray does not answer, the last one.

        Raises
        ------
        Unavailable
            There never was one.
        """
        now_s = asyncio.get_running_loop().time()
        if self._known is None or now_s >= self._due_s:
            self._due_s = now_s + REFRESH_S  # meanwhile the others take what is known
            await self._look()
        if self._known is None:
            raise Unavailable("nothing says yet which shard owns which partition")
        return self._known

    async def _look(self) -> None:
        try:
            seen = await asyncio.to_thread(self._take)
        except RayError:
            return
        if seen and (self._known is None or seen.version > self._known.version):
            self._known = seen
