"""Chromium, and the stand-in that it is pointed at, for the tests of the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.end_to_end.page_backend import HOUR_MS, StandIn, build_stand_in, play, running
from tests.end_to_end.page_playlists import Heartline, Listener, heartline
from tests.end_to_end.page_steps import CHROMIUM, Site, Visit, log_in, now_ms, visit

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WEEK_MS = 7 * 24 * HOUR_MS


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        expect.set_options(timeout=15_000)
        yield browser
        browser.close()


@pytest.fixture
def state() -> StandIn:
    """Give a listener with 95 minutes in this week, and 120 in the last."""
    state = StandIn(now_ms, passwords={"ada": "correct horse"})
    state.listen(now_ms(), 95 * 60_000)
    state.listen(now_ms() - WEEK_MS, 120 * 60_000)
    state.plays = [
        play(f"Title {n}", "Somebody", now_ms() - n * 240_000, 200_000 + n) for n in range(40)
    ]
    return state


@pytest.fixture
def stand_in(state: StandIn) -> Iterator[Site]:
    with running(build_stand_in(state)) as url:
        yield Site(url, "ada", "correct horse")


@pytest.fixture
def seen(browser: Browser, stand_in: Site) -> Iterator[Visit]:
    """Be logged in at the stand-in."""
    with visit(browser, stand_in) as made:
        log_in(made.page, stand_in)
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heartline]:
    with heartline(tmp_path_factory.mktemp("heartline")) as made:
        yield made


@pytest.fixture
def ada(server: Heartline) -> Listener:
    return server.listener("ada")


@pytest.fixture
def bob(server: Heartline) -> Listener:
    return server.listener("bob")
