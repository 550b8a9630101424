"""What listeners do with a playlist on the page, step by step."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, Request, Route

from tests.end_to_end.page_playlists import Listener
from tests.end_to_end.page_steps import Site, Visit, log_in, visit


@contextmanager
def opened(
    browser: Browser, who: Listener, address: str, *, width: int = 1280, scheme: str = "light"
) -> Iterator[Visit]:
    """Be logged in at an address of the page."""
    there = Site(f"{who.site.url}{address}", who.site.name, who.site.password)
    with visit(browser, there, width=width, scheme=scheme) as seen:
        log_in(seen.page, who.site)
        yield seen


def look_again(page: Page) -> None:
    """Have the page look at once, as it does when the network is back."""
    page.evaluate("dispatchEvent(new Event('online'))")


def items(page: Page) -> Locator:
    return page.locator(".item")


def titles(page: Page) -> Locator:
    return page.locator(".item .listed-title")


def does(page: Page, what: str, title: str) -> Locator:
    """Find a button of the item called *title*: Move up, Move down or Remove."""
    verb, _, where = what.partition(" ")
    name = f"{verb} “\u2068{title}\u2069” {where}".rstrip()
    return page.get_by_role("button", name=name, exact=True)


def told(page: Page) -> Locator:
    return page.get_by_role("status").and_(page.locator("#view-told"))


def problem(page: Page) -> Locator:
    return page.locator("#view-problem")


def panel(page: Page, name: str) -> Locator:
    """Open a panel, and wait until it is read."""
    found = page.locator("details.panel").filter(has=page.get_by_text(name, exact=True))
    found.locator("summary").click()
    return found


def stay_behind(page: Page) -> None:
    """Keep from the page what others do, until it sends an edit of its own."""
    edits: list[str] = []

    def note(request: Request) -> None:
        if request.method in {"PUT", "DELETE"}:
            edits.append(request.url)

    def hold(route: Route) -> None:
        if edits:
            route.continue_()

    page.on("request", note)
    page.route(re.compile(r"/v1/playlists/\w+\?fields="), hold)
    look_again(page)  # a look that was under way is given up for this one
