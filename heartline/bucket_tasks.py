"""Work on every bucket of listeners: in this process, or as tasks of a Ray cluster."""

import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from stores.warehouse import BUCKETS

Result = TypeVar("Result")


def each_bucket(work: Callable[[int], Result]) -> Iterator[Result]:
    """Do *work* for each bucket and give what comes of it, in any order.

    `RAY_ADDRESS` names the cluster that shares it (``local``: one that is started here, on all
    cores); without it the buckets are done here, one after the other.
    """
    address = os.environ.get("RAY_ADDRESS")
    yield from _as_tasks(work, address) if address else map(work, range(BUCKETS))


def _as_tasks(work: Callable[[int], Result], address: str) -> Iterator[Result]:
    import ray

    def of_bucket(bucket: int) -> Result:  # Ray wants a function, not what `partial` makes
        return work(bucket)

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(address=address, log_to_driver=False, configure_logging=False)
    try:
        task: Any = ray.remote(of_bucket)
        waiting = [task.remote(bucket) for bucket in range(BUCKETS)]
        while waiting:
            (done,), waiting = ray.wait(waiting)
            yield ray.get(done)
    finally:
        ray.shutdown()
