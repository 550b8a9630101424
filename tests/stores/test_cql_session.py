import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from cassandra import InvalidRequest, OperationTimedOut
from cassandra.cluster import NoHostAvailable

from domain.errors import Unavailable
from stores.cql_session import CqlSession

Outcome = Exception | list[tuple[Any, ...]]


class Asked:
    has_more_pages = False

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def add_callbacks(
        self, came: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        if isinstance(self._outcome, Exception):
            failed(self._outcome)
        else:
            came(self._outcome)


class Cluster:
    def __init__(self) -> None:
        self.ended = False

    def shutdown(self) -> None:
        self.ended = True


class Driver:
    """A driver whose answers are known beforehand."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.asked = 0
        self.cluster = Cluster()

    def execute_async(self, _statement: object) -> Asked:
        self.asked += 1
        return Asked(self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0])


def session(driver: Driver, *, patience_s: float = 5.0, at_once: int = 4) -> CqlSession:
    return CqlSession(driver, jitter=Random(1), at_once=at_once, patience_s=patience_s)


STATEMENT: Any = object()


async def test_what_fails_for_reasons_that_pass_is_asked_again() -> None:
    driver = Driver(OperationTimedOut(), NoHostAvailable("none", {}), [(1,)])

    assert await session(driver).ask(STATEMENT) == [(1,)]
    assert driver.asked == 3


async def test_what_was_asked_wrongly_is_not_asked_again() -> None:
    driver = Driver(InvalidRequest("unconfigured table"))

    with pytest.raises(Unavailable, match="unconfigured table"):
        await session(driver).ask(STATEMENT)
    assert driver.asked == 1


async def test_patience_ends_with_what_is_the_matter() -> None:
    driver = Driver(NoHostAvailable("none", {}))

    with pytest.raises(Unavailable, match="no node answers"):
        await session(driver, patience_s=0.1).ask(STATEMENT)
    assert 1 < driver.asked < 10


async def test_what_must_not_be_repeated_is_asked_once() -> None:
    driver = Driver(OperationTimedOut())

    with pytest.raises(Unavailable):
        await session(driver).ask_once(STATEMENT)
    assert driver.asked == 1


async def test_a_bounded_number_is_under_way() -> None:
    under_way, most = 0, 0

    class Slow(Driver):
        def execute_async(self, _statement: object) -> Any:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)

            class Later(Asked):
                def add_callbacks(
                    self, came: Callable[[Any], None], failed: Callable[[Exception], None]
                ) -> None:
                    def answer() -> None:
                        nonlocal under_way
                        under_way -= 1
                        came([])

                    asyncio.get_running_loop().call_soon(answer)

            return Later([])

    asked = session(Slow([]), at_once=4)

    await asyncio.gather(*(asked.ask(STATEMENT) for _ in range(100)))

    assert most == 4


class Silent(Driver):
    """A driver that has forgotten what it was asked."""

    def execute_async(self, _statement: object) -> Any:
        class Never(Asked):
            def add_callbacks(self, _came: object, _failed: object) -> None:
                pass

        return Never([])


async def test_an_answer_that_never_comes_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stores.cql_session.LOST_S", 0.01)

    with pytest.raises(Unavailable, match="lost a request"):
        await session(Silent([]), patience_s=0.05).ask(STATEMENT)


async def test_a_driver_without_nodes_is_replaced_while_there_are_some() -> None:
    lonely, fresh = Driver(NoHostAvailable("none", {})), Driver([(1,)])
    attempts = iter([Unavailable("away"), fresh])

    def connect() -> Any:
        if isinstance(made := next(attempts), Exception):
            raise made
        return made

    asked: Any = CqlSession(
        lonely, jitter=Random(1), patience_s=10.0, connect=connect, renew_s=0.01
    )

    assert await asked.ask(STATEMENT) == [(1,)]
    await asked.close()
    assert lonely.cluster.ended
    assert fresh.cluster.ended
