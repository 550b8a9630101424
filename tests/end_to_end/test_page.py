"""The page in headless Chromium.

The steps of `page_steps` run against a stand-in for the API, or against the Heartline that
`HEARTLINE_PAGE_URL`, `HEARTLINE_PAGE_NAME` and `HEARTLINE_PAGE_PASSWORD` name; what needs a server
that misbehaves runs against the stand-in only.
"""

import os
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.page_backend import StandIn, play, track
from tests.end_to_end.page_steps import (
    IN_CHROMIUM,
    Site,
    Visit,
    drawn_minutes,
    listen,
    log_in,
    log_in_by_keyboard,
    never_beyond,
    now_ms,
    told_minutes,
    visit,
    wait_for_minutes,
    widest,
)

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
WIDTHS = [360, 768, 1280]

pytestmark = IN_CHROMIUM


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Site:
    """Give the Heartline that the environment names, or else the stand-in."""
    url = os.environ.get("HEARTLINE_PAGE_URL")
    if not url:
        stand_in: Site = request.getfixturevalue("stand_in")
        return stand_in
    name, password = (os.environ[f"HEARTLINE_PAGE_{part}"] for part in ("NAME", "PASSWORD"))
    return Site(url.rstrip("/") + "/", name, password)


# Against any Heartline


def test_the_number_shows_and_grows_with_what_is_listened(browser: Browser, site: Site) -> None:
    with visit(browser, site) as seen:
        log_in(seen.page, site)
        before = told_minutes(seen.page)

        listen(site, until_ms=now_ms(), listened_ms=300_000, play_id=f"page-{now_ms()}")
        expect(seen.page.locator("#minutes")).not_to_have_attribute(
            "data-minutes", str(before), timeout=60_000
        )
        wait_for_minutes(seen.page, told_minutes(seen.page))

        assert told_minutes(seen.page) > before
    assert seen.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_every_width_in_both_schemes(
    browser: Browser, site: Site, width: int, scheme: str, tmp_path: Path
) -> None:
    with visit(browser, site, width=width, scheme=scheme) as seen:
        at_the_door = widest(seen.page)
        log_in(seen.page, site)
        wait_for_minutes(seen.page, told_minutes(seen.page))
        seen.page.screenshot(path=tmp_path / f"page-{width}-{scheme}.png", full_page=True)

        assert (at_the_door, widest(seen.page)) == (width, width)
        assert (_lightness(seen.page) < 128) == (scheme == "dark")
    assert seen.errors == []


def _lightness(page: Page) -> float:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3


def test_the_keyboard_alone_is_enough(browser: Browser, site: Site) -> None:
    with visit(browser, site) as seen:
        page = seen.page
        log_in_by_keyboard(page, site)
        page.locator("body").focus()
        page.locator(".cell[tabindex='0']").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")

        expect(page.locator(".tip")).to_have_text(re.compile(r"^Tuesday .*00:00 to 01:00"))
        page.get_by_role("button", name="Previous week").focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"\?week=\d{4}-W\d\d$"))
        expect(page.locator("#caption")).to_have_text(re.compile("that week$"))
        page.get_by_role("button", name="Log out").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert seen.errors == []


def test_the_first_tab_stop_skips_to_the_number(browser: Browser, site: Site) -> None:
    with visit(browser, site) as seen:
        log_in(seen.page, site)
        seen.page.reload()
        expect(seen.page.locator("#minutes[data-minutes]")).to_have_count(1)
        seen.page.keyboard.press("Tab")
        expect(seen.page.get_by_role("link", name="Skip to the content")).to_be_focused()
        seen.page.keyboard.press("Enter")
        expect(seen.page.locator("#main")).to_be_focused()
    assert seen.errors == []


def test_a_wrong_password_is_told_and_keeps_the_name(browser: Browser, site: Site) -> None:
    with visit(browser, site) as seen:
        page = seen.page
        page.get_by_label("Name", exact=True).fill(site.name)
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")

        expect(page.locator("#enter-error")).to_have_text(re.compile("do not belong together"))
        expect(page.get_by_label("Name", exact=True)).to_have_value(site.name)


def test_the_theme_button_turns_the_colours_for_good(browser: Browser, site: Site) -> None:
    with visit(browser, site) as seen:
        seen.page.get_by_role("button", name="Switch to dark colours").click()
        seen.page.reload()

        assert _lightness(seen.page) < 128
    assert seen.errors == []


# Against the stand-in


def test_it_shows_exactly_what_the_server_says(browser: Browser, stand_in: Site) -> None:
    with visit(browser, stand_in) as seen:
        page = seen.page
        log_in(page, stand_in)
        wait_for_minutes(page, 95)

        expect(page.locator("#exactly")).to_have_text("1\u00a0h 35\u00a0min 0\u00a0s.")
        expect(page.locator("#change")).to_have_text("21\u00a0% less so far")
        expect(page.locator("#to-go")).to_have_text("25 minutes to go to match it.")
        expect(page.locator("#freshness")).to_have_text(
            re.compile(r"^Complete up to \d+\s(s|min) ago")
        )
        page.get_by_text("The same as a table").click()
        expect(page.locator("#table .sum td")).to_have_count(7)
        assert "95" in page.locator("#table .sum td").all_inner_texts()
    assert seen.errors == []


def test_the_drawn_number_is_never_more_than_was_said(seen: Visit, state: StandIn) -> None:
    wait_for_minutes(seen.page, 95)

    def grow() -> None:
        state.listen(now_ms(), 40 * 60_000)
        wait_for_minutes(seen.page, 135)

    assert never_beyond(seen.page, grow) == []
    assert drawn_minutes(seen.page) == 135


def test_a_hostile_title_is_only_text(browser: Browser, stand_in: Site, state: StandIn) -> None:
    state.playing = {
        "is_playing": True,
        "progress_ms": 1_000,
        "item": track(HOSTILE, HOSTILE, track_id="x"),
    }
    state.plays = [play(HOSTILE, HOSTILE, now_ms() - 300_000, 60_000)]
    with visit(browser, stand_in, width=360) as seen:
        page = seen.page
        log_in(page, stand_in)

        expect(page.locator("#playing-track")).to_have_text(HOSTILE)
        expect(page.locator(".play-title")).to_have_text(HOSTILE)
        expect(page).to_have_title(re.compile("Heartline$"))
        assert page.locator("main img, main script").count() == 0
        assert widest(page) == 360
    assert seen.errors == []


def test_a_server_that_is_away_leaves_the_last_numbers(
    browser: Browser, stand_in: Site, state: StandIn
) -> None:
    with visit(browser, stand_in) as seen:
        page = seen.page
        log_in(page, stand_in)
        wait_for_minutes(page, 95)

        state.away = True
        expect(page.locator("#away")).to_contain_text("These are the last numbers")
        assert drawn_minutes(page) == 95
        state.away = False
        state.listen(now_ms(), 60_000)
        page.get_by_role("button", name="Try now").click()
        wait_for_minutes(page, 96)
        expect(page.locator("#away")).to_be_hidden()


def test_an_ended_session_leads_back_to_the_door(seen: Visit, state: StandIn) -> None:
    state.end_sessions()

    expect(seen.page.locator("#door-reason")).to_contain_text("Your session has ended")
    expect(seen.page.locator("#home")).to_be_hidden()
    expect(seen.page).to_have_title("Heartline")


def test_an_old_access_token_is_renewed_unseen(seen: Visit, state: StandIn) -> None:
    state.access.clear()
    state.listen(now_ms(), 60_000)

    wait_for_minutes(seen.page, 96)
    assert state.granted == 2
    assert len(state.refresh) == 1


def test_logging_out_ends_the_session_on_the_server_too(seen: Visit, state: StandIn) -> None:
    with seen.page.expect_response("**/v1/revoke") as told:
        seen.page.get_by_role("button", name="Log out").click()

    assert told.value.status == 200
    assert state.refresh == set()
    assert seen.errors == []


def test_a_reload_asks_for_no_password_and_no_new_token(seen: Visit, state: StandIn) -> None:
    seen.page.reload()

    wait_for_minutes(seen.page, 95)
    assert state.granted == 1


def test_two_tabs_with_the_same_tokens_renew_once(seen: Visit, state: StandIn) -> None:
    with seen.page.expect_popup() as opened:
        # An opened tab of one origin starts with a copy of sessionStorage, as a duplicated one.
        seen.page.evaluate("void open(location.href)")
    wait_for_minutes(opened.value, 95)

    state.access.clear()
    state.listen(now_ms(), 60_000)
    wait_for_minutes(opened.value, 96)
    seen.page.bring_to_front()
    wait_for_minutes(seen.page, 96)

    assert state.granted == 2


def test_an_empty_week_invites_to_listen(browser: Browser, stand_in: Site, state: StandIn) -> None:
    state.hours.clear()
    state.plays.clear()
    with visit(browser, stand_in) as seen:
        log_in(seen.page, stand_in)
        wait_for_minutes(seen.page, 0)

        expect(seen.page.locator("#empty")).to_contain_text("Nothing yet")
        expect(seen.page.locator("#history-empty")).to_be_visible()
        expect(seen.page.locator("#change")).to_have_text("Nothing to compare with")
    assert seen.errors == []


def test_weeks_can_be_walked_and_come_back(browser: Browser, stand_in: Site) -> None:
    with visit(browser, stand_in) as seen:
        page = seen.page
        log_in(page, stand_in)
        page.get_by_role("button", name="Previous week").click()
        wait_for_minutes(page, 120)
        page.reload()
        wait_for_minutes(page, 120)
        page.get_by_role("button", name="Next week").click()
        wait_for_minutes(page, 95)
        expect(page.get_by_role("button", name="Next week")).to_be_disabled()
        page.go_back()
        wait_for_minutes(page, 120)
        page.get_by_role("button", name="Back to this week").click()
        wait_for_minutes(page, 95)
    assert seen.errors == []


def test_the_page_reckons_weeks_as_the_calendar_does(browser: Browser, stand_in: Site) -> None:
    dates = [date(1999, 12, 1) + timedelta(days=3 * n) for n in range(5_000)]
    with visit(browser, stand_in) as seen:
        told = seen.page.evaluate(
            """async (dates) => {
              const { weekFrom, weekOf } = await import("/web/weeks.js");
              return dates.map((date) => [weekOf(date), weekFrom(weekOf(date), 1)]);
            }""",
            [day.isoformat() for day in dates],
        )

    assert told == [[f"{day:%G-W%V}", f"{day + timedelta(days=7):%G-W%V}"] for day in dates]


def test_history_goes_on_until_its_end(browser: Browser, stand_in: Site) -> None:
    with visit(browser, stand_in) as seen:
        page = seen.page
        log_in(page, stand_in)
        for shown in (12, 24, 36):
            expect(page.locator(".play")).to_have_count(shown)
            page.get_by_role("button", name="Show older").click()
        expect(page.locator(".play")).to_have_count(40)
        expect(page.get_by_role("button", name="Show older")).to_be_hidden()
    assert seen.errors == []


def test_signing_up_guesses_the_time_zone_and_enters(
    browser: Browser, stand_in: Site, state: StandIn
) -> None:
    with visit(browser, stand_in) as seen:
        page = seen.page
        page.get_by_role("button", name="Make an account").click()
        page.get_by_label("Name", exact=True).fill("grace")
        page.get_by_label("Password").fill("a long enough one")
        expect(page.get_by_label("Time zone", exact=True).first).not_to_have_value("")
        page.get_by_role("button", name="Make the account").click()

        expect(page.locator("#minutes[data-minutes]")).to_have_count(1)
        assert "grace" in state.passwords
    assert seen.errors == []


def test_a_taken_name_is_told(browser: Browser, stand_in: Site) -> None:
    with visit(browser, stand_in) as seen:
        page = seen.page
        page.get_by_role("button", name="Make an account").click()
        page.get_by_label("Name", exact=True).fill("ada")
        page.get_by_label("Password").fill("a long enough one")
        page.get_by_role("button", name="Make the account").click()

        expect(page.locator("#enter-error")).to_contain_text("somebody has this name already")


def test_settings_are_saved_and_a_wrong_zone_is_told(
    browser: Browser, stand_in: Site, state: StandIn
) -> None:
    with visit(browser, stand_in) as seen:
        page = seen.page
        log_in(page, stand_in)
        page.get_by_role("button", name="Settings").click()
        zone = page.get_by_role("dialog").get_by_label("Time zone")
        expect(zone).to_have_value("Asia/Kolkata")
        zone.fill("Mars/Olympus")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#settings-error")).to_contain_text("time_zone")
        zone.fill("Europe/Oslo")
        page.get_by_label("Display name").fill("Ada L.")
        page.get_by_role("button", name="Save").click()

        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(page.locator("#zone-note")).to_contain_text("Europe/Oslo")
        assert state.display_name == "Ada L."


def test_deleting_the_account_needs_the_word(
    browser: Browser, stand_in: Site, state: StandIn
) -> None:
    with visit(browser, stand_in) as seen:
        page = seen.page
        log_in(page, stand_in)
        page.get_by_role("button", name="Settings").click()
        button = page.get_by_role("button", name="Delete my account")
        expect(button).to_be_disabled()
        page.get_by_label("Type delete to confirm").fill("delete")
        button.click()

        expect(page.locator("#door-reason")).to_contain_text("The account is deleted")
        assert state.passwords == {}
