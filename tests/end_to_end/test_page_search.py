"""The page's search box, and the views that it leads to, in headless Chromium against the stand-in."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.end_to_end.page_backend import StandIn, play_of
from tests.end_to_end.page_catalogue import Entity, Shelf, album, artist, track
from tests.end_to_end.page_steps import IN_CHROMIUM, Site, Visit, log_in, now_ms, visit, widest

pytestmark = IN_CHROMIUM

HOSTILE = (
    "Bil <img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
)
NAMES = [
    HOSTILE,
    "Bil" + "lowing" * 40,
    "Bil " + "endless words " * 20,
    "bil أم كلثوم",
    "bil 宇多田ヒカル",
    "bil \u202eright to left, left open",
    "bil 👩‍👩‍👧 é",
]
SUGGEST_B = "**/v1/suggest?q=b"


def fill(shelf: Shelf) -> None:
    """Put on *shelf* two artists, three albums, and a lot of tracks."""
    billie, queen = artist("1", "Billie Eilish", ["pop"]), artist("2", "Queen", ["rock", "opera"])
    happier = album("3", "Happier Than Ever", [billie], "2021-07-30")
    opera = album("4", "A Night at the Opera", [queen], "1975-11")
    live = album("5", "Live, by Billions", [queen, billie], "1986")
    tracks = [track(f"t{n}", f"Song {n}", [queen], opera, n) for n in range(1, 61)]
    billions = track("6", "Billions", [queen, billie], live)
    shelf.entities = [billions, live, billie, queen, happier, opera, *tracks]


@pytest.fixture
def state(state: StandIn) -> StandIn:
    fill(state.shelf)
    return state


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search")


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def search_for(page: Page, text: str) -> None:
    """Type *text* and wait for what it finds."""
    box(page).fill(text)
    expect(page.locator("#search-status")).to_have_text(re.compile("result|Nothing"))


def told(found: Locator) -> list[str]:
    return [re.sub(r"\s+", " ", text) for text in found.all_inner_texts()]


def never(_route: Route) -> None:
    """Let a request wait."""


# The box


def test_typing_suggests_by_type_and_marks_what_was_typed(seen: Visit) -> None:
    page = seen.page
    search_for(page, "bil")

    groups = page.get_by_role("group").filter(has=options(page))
    assert [one.get_attribute("aria-label") for one in groups.all()] == [
        "Tracks",
        "Albums",
        "Artists",
    ]
    assert told(options(page)) == [
        "Billions Queen, Billie Eilish",
        "Live, by Billions Queen, Billie Eilish",
        "Billie Eilish",
        "All results for “bil”",
    ]
    assert page.locator("mark").all_inner_texts() == ["Bil", "Bil", "Bil"]
    expect(page.locator("#search-status")).to_have_text("3 results.")
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    assert seen.errors == []


def test_marks_count_code_points_as_the_server_does(seen: Visit, state: StandIn) -> None:
    state.shelf.entities = [artist("1", "𝄞 🎵 Ωmega")]
    search_for(seen.page, "ωme")

    expect(seen.page.locator("mark")).to_have_text("Ωme")


def test_the_keyboard_walks_the_options_and_opens_one(seen: Visit) -> None:
    page = seen.page
    page.keyboard.press("/")
    page.keyboard.type("bil")
    expect(options(page).last).to_contain_text(
        "bil"
    )  # of what was found for less, it would begin anew
    expect(options(page)).to_have_count(4)

    for key, at in [("ArrowUp", 3), ("ArrowDown", 0), ("ArrowDown", 1), ("ArrowDown", 2)]:
        page.keyboard.press(key)
        expect(options(page).nth(at)).to_have_attribute("aria-selected", "true")
        expect(box(page)).to_have_attribute("aria-activedescendant", f"option-{at}")
    page.keyboard.press("Home")
    expect(box(page)).not_to_have_attribute("aria-activedescendant", re.compile(""))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Billions")).to_be_focused()
    expect(page).to_have_url(re.compile("#/track/6$"))
    expect(page).to_have_title("Billions · Heartline")
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    assert seen.errors == []


def test_escape_closes_then_clears_and_tab_leaves(seen: Visit) -> None:
    page = seen.page
    search_for(page, "bil")
    page.keyboard.press("Escape")
    expect(options(page)).to_have_count(0)
    expect(box(page)).to_have_value("bil")
    page.keyboard.press("ArrowDown")
    expect(options(page).first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Tab")
    expect(options(page)).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(box(page)).to_be_focused()
    page.keyboard.press("Escape")

    expect(box(page)).to_have_value("")
    assert seen.errors == []


def test_the_shortcuts_leave_other_fields_and_dialogs_alone(
    browser: Browser, stand_in: Site
) -> None:
    with visit(browser, stand_in) as seen:
        page = seen.page
        expect(box(page)).to_be_hidden()
        page.get_by_label("Name", exact=True).fill("")
        page.keyboard.type("a/b")
        expect(page.get_by_label("Name", exact=True)).to_have_value("a/b")
        log_in(page, stand_in)
        page.get_by_role("button", name="Settings").click()
        page.get_by_label("Display name").fill("")
        page.keyboard.type("x/y")
        page.keyboard.press("Control+k")

        expect(page.get_by_label("Display name")).to_be_focused()
        expect(page.get_by_label("Display name")).to_have_value("x/y")
    assert seen.errors == []


def test_an_answer_to_an_older_question_is_dropped(seen: Visit) -> None:
    page = seen.page
    page.route(SUGGEST_B, never)
    with page.expect_request(SUGGEST_B):
        box(page).press_sequentially("b")
    with page.expect_event("requestfailed") as given_up:
        box(page).press_sequentially("illio")
    expect(options(page)).to_have_count(3)

    assert given_up.value.url.endswith("suggest?q=b")
    expect(page.locator("mark")).to_have_text(["Billio", "Billio"])


def test_a_search_that_is_away_is_tried_again(seen: Visit, state: StandIn) -> None:
    page = seen.page
    state.shelf.away_s = 1
    box(page).fill("bil")
    expect(page.locator("#search-note")).to_have_text(re.compile(r"^Search is away\. .*in 1\ss\.$"))
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#away")).to_be_hidden()
    state.shelf.away_s = None

    expect(options(page)).to_have_count(4)
    expect(page.locator("#search-note")).to_be_hidden()


def test_a_session_that_ended_leads_from_the_box_to_the_door(seen: Visit, state: StandIn) -> None:
    state.end_sessions()
    box(seen.page).fill("bil")

    expect(seen.page.locator("#door-reason")).to_contain_text("Your session has ended")
    expect(box(seen.page)).to_be_hidden()


def test_what_begins_no_name_is_searched_or_meant_otherwise(seen: Visit, state: StandIn) -> None:
    page = seen.page
    state.shelf.meant["quen"] = "queen"
    search_for(page, "queen bill")
    assert told(options(page))[:2] == [
        "Live, by Billions Queen, Billie Eilish",
        "Billions Queen, Billie Eilish",
    ]

    box(page).fill("quen")
    expect(page.locator("#search-note")).to_contain_text("Nothing found for")
    assert told(options(page)) == ["Did you mean queen?"]
    options(page).click()
    expect(page.get_by_role("heading", name="queen", exact=True)).to_be_visible()
    expect(box(page)).to_have_value("queen")


@pytest.mark.parametrize("width", [360, 1280])
def test_names_of_any_kind_are_only_text_and_fit(
    browser: Browser, stand_in: Site, state: StandIn, width: int
) -> None:
    state.shelf.entities = [artist(str(n), name) for n, name in enumerate(NAMES)]
    with visit(browser, stand_in, width=width, scheme="dark") as seen:
        page = seen.page
        log_in(page, stand_in)
        search_for(page, "bil")
        assert page.locator(".option-name").all_text_contents() == NAMES
        assert widest(page) == width
        _follow_each(page, len(NAMES), lambda: widest(page) == width)

        assert page.locator("main img, main script, form img").count() == 0
        assert page.locator(".facts").count() == 0
    assert seen.errors == []


def _follow_each(page: Page, count: int, holds: Callable[[], bool]) -> None:
    for at in range(count):
        search_for(page, "bil")
        options(page).nth(at).click()
        expect(page.locator("#view-name")).to_have_text(NAMES[at], use_inner_text=False)
        assert holds(), NAMES[at]


# The views


def test_all_results_have_an_address_of_their_own(seen: Visit) -> None:
    page = seen.page
    box(page).fill("queen")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#/search/queen$"))
    lists = page.locator(".entity-list h2")
    expect(lists).to_have_text(["Artists", "Albums", "Tracks"])
    page.reload()

    expect(lists).to_have_text(["Artists", "Albums", "Tracks"])
    expect(box(page)).to_have_value("queen")
    assert told(page.locator(".listed").nth(1))[0].startswith("Live, by Billions Queen, Billie")
    assert seen.errors == []


def test_views_lead_to_each_other_and_back_to_the_week(seen: Visit) -> None:
    page = seen.page
    search_for(page, "billions")
    options(page).first.click()
    page.get_by_role("link", name="Live, by Billions").click()
    expect(page.locator("#view-kind")).to_have_text("Album")
    expect(page.locator(".facts")).to_contain_text("1986")
    page.locator(".entity-artists").get_by_role("link", name="Queen").click()
    expect(page.locator("#view-kind")).to_have_text("Artist")
    expect(page.locator(".entity-list").nth(0).locator(".listed")).to_have_count(10)
    expect(page.locator(".entity-list").nth(1)).to_contain_text("Album, November 1975")

    for kind in ("Album", "Track"):
        page.go_back()
        expect(page.locator("#view-kind")).to_have_text(kind)
    page.go_back()
    expect(page.locator("#minutes")).to_be_visible()
    expect(page.locator("#view")).to_be_hidden()
    expect(page).to_have_title("95 min · Heartline")
    assert seen.errors == []


def test_a_long_album_goes_on(seen: Visit) -> None:
    page = seen.page
    page.goto(f"{page.url}#/album/4")
    expect(page.locator(".listed")).to_have_count(50)
    page.get_by_role("button", name="Show more").click()

    expect(page.locator(".listed")).to_have_count(60)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    assert seen.errors == []


def test_a_link_waits_for_the_door(browser: Browser, stand_in: Site) -> None:
    linked = Site(f"{stand_in.url}#/album/3", stand_in.name, stand_in.password)
    with visit(browser, linked) as seen:
        expect(seen.page.locator("#view")).to_be_hidden()
        log_in(seen.page, stand_in)

        expect(seen.page.get_by_role("heading", name="Happier Than Ever")).to_be_visible()
        expect(seen.page.locator("#home")).to_be_hidden()
    assert seen.errors == []


def test_what_the_catalogue_does_not_have_is_told(seen: Visit) -> None:
    page = seen.page
    page.goto(f"{page.url}#/artist/nobody%2F..%2F1")
    expect(page.locator("#view-error")).to_contain_text("The catalogue does not have this")
    page.get_by_role("link", name="Back to your week").click()

    expect(page.locator("#minutes")).to_be_visible()


def test_a_view_that_cannot_be_read_is_tried_again(seen: Visit, state: StandIn) -> None:
    page = seen.page
    state.shelf.away_s = 7
    page.goto(f"{page.url}#/search/queen")
    expect(page.locator("#view-error")).to_contain_text(re.compile(r"Try again in 7\ss\."))
    state.shelf.away_s = None
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("heading", name="queen", exact=True)).to_be_visible()


def test_what_plays_and_what_was_played_leads_to_the_catalogue(
    browser: Browser, stand_in: Site, state: StandIn
) -> None:
    billions = _of(state.shelf, "6")
    unknown = {"id": "x", "name": "x", "artists": [], "album": {"name": ""}}
    state.playing = {"is_playing": True, "progress_ms": 1_000, "item": billions}
    at = now_ms() - 300_000
    state.plays = [play_of(billions, at, 60_000), play_of(unknown, at - 1, 60_000)]
    with visit(browser, stand_in) as seen:
        page = seen.page
        log_in(page, stand_in)
        expect(page.locator("#playing-origin")).to_have_text(
            "Queen, Billie Eilish · Live, by Billions"
        )
        expect(page.locator(".play-origin")).to_have_text(
            ["Queen, Billie Eilish · Live, by Billions", ""]
        )
        assert page.locator(".play-title a").count() == 1
        page.locator("#playing-origin").get_by_role("link", name="Queen").click()

        expect(page.get_by_role("heading", name="Queen")).to_be_visible()
    assert seen.errors == []


def _of(shelf: Shelf, entity_id: str) -> Entity:
    return next(one for one in shelf.entities if one["id"] == entity_id)


def test_a_release_date_is_told_as_exactly_as_it_is_known(seen: Visit) -> None:
    dates = ["1975-11-21", "1975-11", "1975", "0000", "", "soon", None]
    told_dates = seen.page.evaluate(
        """async (dates) => {
          const { releaseDate } = await import("/web/weeks.js");
          return dates.map(releaseDate);
        }""",
        dates,
    )

    assert told_dates[:3] == ["21 November 1975", "November 1975", "1975"]
    assert told_dates[3:] == ["", "", "", ""]
