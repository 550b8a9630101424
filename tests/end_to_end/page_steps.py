"""What a listener does with the page, step by step: the same against any Heartline.

A `Site` is a running Heartline with a listener's name and password. Listening is done as clients do
it, by heartbeats over HTTP.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

CHROMIUM = Path("/usr/bin/chromium")
IN_CHROMIUM = [
    pytest.mark.beside,
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no /usr/bin/chromium on this machine"),
]
BEAT_MS = 30_000
VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error("CSP " + event.violatedDirective + " " + event.blockedURI));
"""


def now_ms() -> int:
    """Tell the time."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Site:
    """Where Heartline answers, and who may log in."""

    url: str
    name: str
    password: str


@dataclass
class Visit:
    """A page in a browser of its own, and what went wrong in it."""

    page: Page
    errors: list[str] = field(default_factory=list)


@contextmanager
def visit(
    browser: Browser, site: Site, *, width: int = 1280, height: int = 860, scheme: str = "light"
) -> Iterator[Visit]:
    """Open the page in a fresh context; collects console errors and policy violations."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="no-preference",
        locale="en-GB",
    )
    context.add_init_script(VIOLATIONS)
    page = context.new_page()
    page.set_default_timeout(15_000)
    seen = Visit(page)

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            seen.errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    try:
        page.goto(site.url)
        yield seen
    finally:
        context.close()


def log_in(page: Page, site: Site) -> None:
    """Log in with the mouse, and wait for the number."""
    page.get_by_label("Name", exact=True).fill(site.name)
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#minutes[data-minutes]")).to_have_count(1)


def log_in_by_keyboard(page: Page, site: Site) -> None:
    """Log in without a mouse; the first field has the focus already."""
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type(site.name)
    page.keyboard.press("Tab")
    page.keyboard.type(site.password)
    page.keyboard.press("Enter")
    expect(page.locator("#minutes[data-minutes]")).to_have_count(1)


def told_minutes(page: Page) -> int:
    """Read the number that is spoken: what the server said last."""
    return int(page.locator("#minutes").get_attribute("data-minutes") or "-1")


def drawn_minutes(page: Page) -> int:
    """Read the number that is drawn."""
    return int(page.locator("#numerals").get_attribute("data-number") or "-1")


def wait_for_minutes(page: Page, minutes: int) -> None:
    """Wait until the page says and draws exactly *minutes*."""
    expect(page.locator("#minutes")).to_have_attribute("data-minutes", str(minutes))
    expect(page.locator("#numerals")).to_have_attribute("data-number", str(minutes))


def widest(page: Page) -> int:
    """Tell how wide the document is, in CSS pixels."""
    return int(page.evaluate("document.documentElement.scrollWidth"))


def listen(site: Site, *, until_ms: int, listened_ms: int, play_id: str) -> None:
    """Listen for *listened_ms* up to *until_ms*, as a client that sends heartbeats."""
    instants = [*range(until_ms - listened_ms, until_ms, BEAT_MS), until_ms]
    beats = [
        {
            "id": f"{play_id}-{at}",
            "track_id": "page-test",
            "play_id": play_id,
            "stretch": 0,
            "kind": "beat",
            "at": at,
        }
        for at in instants
    ]
    with httpx.Client(base_url=site.url) as client:
        login = {"grant_type": "password", "username": site.name, "password": site.password}
        token = client.post("v1/token", data=login).raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        sent = client.post("v1/heartbeats", json={"heartbeats": beats}, headers=headers)
    assert sent.status_code == 202, sent.text
    assert sent.json()["accepted"] == len(beats)


def never_beyond(page: Page, work: Callable[[], None]) -> list[int]:
    """Do *work*; tell every number that was drawn meanwhile and was more than the server had said."""
    page.evaluate(
        """() => {
          globalThis.beyond = [];
          const look = () => {
            const told = Number(document.querySelector("#minutes").dataset.minutes);
            const drawn = Number(document.querySelector("#numerals").dataset.number);
            if (drawn > told) globalThis.beyond.push(drawn);
            globalThis.looking = requestAnimationFrame(look);
          };
          look();
        }"""
    )
    work()
    beyond: list[int] = page.evaluate("cancelAnimationFrame(looking), beyond")
    return beyond
