"""A session with a cluster that speaks CQL: ScyllaDB, or Apache Cassandra.

The driver runs in a thread of its own; statements are prepared, go straight to a replica (token-aware),
are read and written at LOCAL_QUORUM, and at most *at_once* are under way.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import TypeVar

from cassandra import (
    ConsistencyLevel,
    DriverException,
    InvalidRequest,
    OperationTimedOut,
    RequestValidationException,
)
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.cluster import Session as Driver
from cassandra.connection import ConnectionException
from cassandra.policies import (
    DCAwareRoundRobinPolicy,
    ExponentialReconnectionPolicy,
    FallthroughRetryPolicy,
    TokenAwarePolicy,
)
from cassandra.protocol import ErrorMessage
from cassandra.query import PreparedStatement, Statement, tuple_factory

from domain.errors import Unavailable
from stores.cql_bridge import Bridge, Enough, Rows

AT_ONCE = 128
PATIENCE_S = 5.0  # of one operation, its repetitions included
REQUEST_S = 2.0
RENEW_S = 20.0  # without any node; they may be there, and the driver not look for them any more
LOST_S = 60.0  # an answer, all its pages, that has not come by then never will
CONNECT_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 1.0
RECONNECT_S, LATEST_RECONNECT_S = 0.25, 5.0
FAILURES = (DriverException, NoHostAvailable, ConnectionException, ErrorMessage)
Result = TypeVar("Result")

log_ = logging.getLogger(__name__)


def everything(_rows: Rows) -> bool:
    """No rows are enough: all are wanted."""
    return False


def new_cluster(hosts: Sequence[str], port: int, *, request_s: float = REQUEST_S) -> Cluster:
    """Describe a cluster to the driver; nothing is asked of it yet."""
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy()),
        retry_policy=FallthroughRetryPolicy(),  # we repeat ourselves
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
        request_timeout=request_s,
        row_factory=tuple_factory,
    )
    return Cluster(
        list(hosts),
        port,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        reconnection_policy=ExponentialReconnectionPolicy(RECONNECT_S, LATEST_RECONNECT_S, None),
        connect_timeout=CONNECT_S,
        control_connection_timeout=CONNECT_S,
    )


def connected(cluster: Cluster, keyspace: str | None) -> Driver:
    """Connect.

    :raises Unavailable: if no node answers; `InvalidRequest` if there is no such keyspace.
    """
    named = [str(endpoint.address) for endpoint in cluster.endpoints_resolved]
    try:
        driver = cluster.connect()
        if keyspace is not None:
            driver.set_keyspace(keyspace)
    except InvalidRequest:
        cluster.shutdown()
        raise
    except FAILURES as error:
        cluster.shutdown()
        raise Unavailable(
            f"no node of the store answers on port {cluster.port} of {', '.join(named)}"
        ) from error
    return driver


class CqlSession:
    """Asks a cluster, from one event loop. Repeats what failed for reasons that pass, with jitter."""

    def __init__(
        self,
        driver: Driver,
        *,
        jitter: Random,
        at_once: int = AT_ONCE,
        patience_s: float,
        connect: Callable[[], Driver] | None = None,
        renew_s: float = RENEW_S,
    ) -> None:
        self._driver, self._jitter, self._patience_s = driver, jitter, patience_s
        self._connect, self._renew_s = connect, renew_s
        self._alone_since_s: float | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._free = asyncio.Semaphore(at_once)
        self._prepared: dict[str, PreparedStatement] = {}
        self._preparing = asyncio.Lock()
        self._bridge: Bridge | None = None

    async def prepare(self, text: str) -> PreparedStatement:
        """Have a statement prepared; the cluster is asked once."""
        if text not in self._prepared:
            async with self._preparing:
                if text not in self._prepared:
                    self._prepared[text] = await self._patiently(
                        lambda: _told(asyncio.to_thread(self._driver.prepare, text))
                    )
        return self._prepared[text]

    async def ask(self, statement: Statement, enough: Enough = everything) -> Rows:
        """Run a statement that may be repeated; its rows, page by page until they are *enough*.

        :raises Unavailable: if it failed until patience ended.
        """
        return await self._patiently(lambda: self._once(statement, enough))

    async def ask_once(self, statement: Statement) -> Rows:
        """Run a statement that must not be repeated.

        :raises Unavailable: whether it was done is not known.
        """
        try:
            return await self._once(statement, everything)
        except FAILURES as error:
            raise unavailable(error) from error

    def owner(self, keyspace: str, routing_key: bytes) -> object:
        """Tell on which node a partition is first: rows of the same one travel well together."""
        replicas = self._driver.cluster.metadata.get_replicas(keyspace, routing_key)
        return replicas[0] if replicas else None

    async def close(self) -> None:
        """Let go of the cluster."""
        if self._renewing is not None:
            await asyncio.wait([self._renewing])
        await asyncio.to_thread(self._driver.cluster.shutdown)

    async def _once(self, statement: Statement, enough: Enough) -> Rows:
        if self._bridge is None:
            self._bridge = Bridge(asyncio.get_running_loop())
        async with self._free:
            try:
                rows = await _told(
                    self._bridge.answer(self._driver.execute_async(statement), enough)
                )
            except NoHostAvailable:
                self._perhaps_renew()
                raise
            self._alone_since_s = None
            return rows

    def _perhaps_renew(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._alone_since_s is None:
            self._alone_since_s = now_s
        elif self._connect and not self._renewing and now_s > self._alone_since_s + self._renew_s:
            self._renewing = asyncio.create_task(self._renew(self._connect))

    async def _renew(self, connect: Callable[[], Driver]) -> None:
        """Connect anew; if no node answers then either, later again."""
        try:
            fresh = await asyncio.to_thread(connect)
        except (Unavailable, InvalidRequest):
            return
        else:
            log_.warning("connected to the store anew, after %.0f s without a node", self._renew_s)
            before, self._driver = self._driver, fresh
            self._prepared.clear()
            await asyncio.to_thread(before.cluster.shutdown)
        finally:
            self._alone_since_s, self._renewing = None, None

    async def _patiently(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        until_s = asyncio.get_running_loop().time() + self._patience_s
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                return await attempt()
            except RequestValidationException as error:
                raise unavailable(error) from error
            except FAILURES as error:
                wait_s = pause_s * (1 + self._jitter.random())
                if asyncio.get_running_loop().time() + wait_s > until_s:
                    raise unavailable(error) from error
                await asyncio.sleep(wait_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _told(answer: Awaitable[Result]) -> Result:
    """Wait for what the driver says, but not for ever: it may have lost the request."""
    try:
        async with asyncio.timeout(LOST_S):
            return await answer
    except TimeoutError:
        raise OperationTimedOut("the driver has lost a request") from None


def unavailable(error: Exception) -> Unavailable:
    """Say in a line what the driver says in many."""
    if isinstance(error, NoHostAvailable):
        return Unavailable("the store: no node answers")
    return Unavailable(f"the store: {' '.join(str(error).split())[:200]}")
