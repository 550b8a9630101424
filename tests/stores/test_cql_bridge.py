import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from stores.cql_bridge import Bridge, Rows


class Asked:
    """The driver's promise of an answer, page by page, kept when the test says so."""

    def __init__(self, *pages: Rows) -> None:
        self.pages = list(pages)
        self.has_more_pages = False
        self.came: Callable[[Rows], None]
        self.failed: Callable[[Exception], None]

    def add_callbacks(
        self, came: Callable[[Rows], None], failed: Callable[[Exception], None]
    ) -> None:
        self.came, self.failed = came, failed

    def start_fetching_next_page(self) -> None:
        self.answer()

    def answer(self) -> None:
        page = self.pages.pop(0)
        self.has_more_pages = bool(self.pages)
        self.came(page)


class Loop:
    """The running loop, which counts how often it was woken."""

    def __init__(self) -> None:
        self.wakes = 0
        self._loop = asyncio.get_running_loop()

    def create_future(self) -> Any:
        return self._loop.create_future()

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
        self.wakes += 1
        self._loop.call_soon_threadsafe(callback)


def all_of_them(_rows: Rows) -> bool:
    return False


def bridge(loop: Any) -> Bridge:
    return Bridge(loop)


def ask(
    over: Bridge, asked: Any, enough: Callable[[Rows], bool] = all_of_them
) -> "asyncio.Future[Rows]":
    return over.answer(asked, enough)


async def test_a_burst_of_answers_wakes_the_loop_once() -> None:
    loop = Loop()
    over, burst = bridge(loop), [Asked([(number,)]) for number in range(100)]
    answers = [ask(over, asked) for asked in burst]

    for asked in burst:
        asked.answer()

    assert await asyncio.gather(*answers) == [[(number,)] for number in range(100)]
    assert loop.wakes == 1


async def test_pages_follow_until_there_are_enough_rows() -> None:
    over = bridge(Loop())
    few, every = (Asked([(1,), (2,)], [(3,)], [(4,)]) for _ in range(2))
    answers = [ask(over, few, lambda rows: len(rows) >= 3), ask(over, every)]

    few.answer()
    every.answer()

    assert await asyncio.gather(*answers) == [[(1,), (2,), (3,)], [(1,), (2,), (3,), (4,)]]


async def test_a_page_that_cannot_be_asked_for_is_a_failure() -> None:
    class Cut(Asked):
        def start_fetching_next_page(self) -> None:
            raise ConnectionError("cut")

    asked = Cut([(1,)], [(2,)])
    answer = Bridge(asyncio.get_running_loop()).answer(asked, all_of_them)
    asked.answer()

    with pytest.raises(ConnectionError, match="cut"):
        await answer


async def test_a_failure_is_raised_where_it_is_waited_for() -> None:
    asked = Asked([])
    answer = ask(bridge(Loop()), asked)

    asked.failed(OSError("away"))

    with pytest.raises(OSError, match="away"):
        await answer


async def test_nobody_is_told_who_waits_no_more() -> None:
    over, asked, next_one = bridge(Loop()), Asked([(1,)]), Asked([(2,)])
    gone, waits = ask(over, asked), ask(over, next_one)
    gone.cancel()

    asked.answer()
    next_one.answer()

    assert await waits == [(2,)]


async def test_an_answer_after_the_end_is_dropped() -> None:
    class Closed(Loop):
        def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
            raise RuntimeError("Event loop is closed")

    asked = Asked([(1,)])
    ask(bridge(Closed()), asked)

    asked.answer()
