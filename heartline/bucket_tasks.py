"""Work on every bucket of listeners: in this process, or as tasks of a Ray cluster."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from domain.errors import HeartlineError
from heartline.terminal import fail
from heartline.wiring import new_secret
from stores.warehouse import BUCKETS

ADDRESS, LOCAL = "RAY_ADDRESS", "local"

Result = TypeVar("Result")


def each_bucket(work: Callable[[int], Result]) -> Iterator[Result]:
    """Do *work* for each bucket and give what comes of it, in any order.

    ``RAY_ADDRESS`` names the cluster that shares it (``local``: one that is started here, on all
    cores); without it the buckets are done here, one after the other.
    """
    address = os.environ.get(ADDRESS)
    if not address:
        yield from map(work, range(BUCKETS))
        return
    with _cluster(address):
        yield from _as_tasks(work)


def _cluster(address: str) -> AbstractContextManager[None]:
    if address == LOCAL:
        return _ray_of_our_own()
    from heartline.nodes.ray_cluster import connected

    return connected(os.environ)


@contextmanager
def _ray_of_our_own() -> Iterator[None]:
    os.environ.update(  # Ray reads them when it is imported
        RAY_AUTH_MODE="token",  # else Ray writes a token of its own into the home directory
        RAY_AUTH_TOKEN=new_secret(),
        RAY_USAGE_STATS_ENABLED="0",
        RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0",  # binds Ray's servers to loopback
    )
    import ray

    from heartline.ray_node import start_only_what_is_needed

    start_only_what_is_needed()
    ray.init(address=LOCAL, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        yield
    finally:
        ray.shutdown()


def _as_tasks(work: Callable[[int], Result]) -> Iterator[Result]:
    import ray
    from ray.exceptions import RayError

    def of_bucket(bucket: int) -> Result:  # Ray wants a function, not what `partial` makes
        return work(bucket)

    task: Any = ray.remote(of_bucket)
    waiting = [task.remote(bucket) for bucket in range(BUCKETS)]
    try:
        while waiting:
            (done,), waiting = ray.wait(waiting)
            yield ray.get(done)
    except HeartlineError:
        raise
    except RayError as error:
        fail(f"a task of the cluster failed: {str(error).splitlines()[0]}")
