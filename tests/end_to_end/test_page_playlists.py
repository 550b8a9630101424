"""Playlists on the page, in headless Chromium, against a Heartline that is real but for Ray."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.end_to_end.page_playlist_steps import (
    does,
    items,
    look_again,
    opened,
    panel,
    problem,
    stay_behind,
    titles,
    told,
)
from tests.end_to_end.page_playlists import NUMBERED, Heartline, Listener
from tests.end_to_end.page_steps import IN_CHROMIUM, widest

pytestmark = IN_CHROMIUM

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
NAMES = [
    HOSTILE,
    "lowing" * 33,
    "endless words " * 14,
    "أم كلثوم",
    "宇多田ヒカル",
    "\u200f\u202eright to left, left open",
    "👩‍👩‍👧 é &amp; ${name} %3Cb%3E",
]


# Making and finding


def test_a_playlist_is_made_by_keyboard_and_found_again(browser: Browser, ada: Listener) -> None:
    with opened(browser, ada, "") as seen:
        page = seen.page
        page.get_by_role("link", name="Playlists").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("None yet: make the first one.")).to_be_visible()
        page.get_by_label("A new playlist").focus()
        page.keyboard.type("Rainy days")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", name="Rainy days")).to_be_focused()
        expect(page).to_have_url(re.compile(r"#/playlist/[0-9A-Za-z]+$"))
        expect(page).to_have_title("Rainy days · Heartline")
        expect(page.locator("#view-kind")).to_have_text("Private playlist")
        expect(told(page)).to_contain_text("Made “")
        page.go_back()
        expect(page.get_by_role("link", name="Rainy days")).to_be_visible()
        expect(page.get_by_role("link", name="Playlists")).to_have_attribute("aria-current", "page")
        expect(page.locator(".listed")).to_contain_text("0 tracks")
    assert ada.playlists() == ["Rainy days"]
    assert seen.errors == []


def test_a_playlist_without_a_name_is_not_made(browser: Browser, ada: Listener) -> None:
    with opened(browser, ada, "#/playlists") as seen:
        seen.page.get_by_label("A new playlist").fill("   ")
        seen.page.get_by_role("button", name="Make it").click()

        expect(problem(seen.page)).to_have_text("A name, please.")
        expect(seen.page.get_by_label("A new playlist")).to_be_focused()
    assert ada.playlists() == []


def test_playlists_tell_their_owner_and_how_many_tracks(
    browser: Browser, ada: Listener, bob: Listener
) -> None:
    ada.make("Mine", "sin", "sowhat", public=True)
    ada.join(bob.invite(bob.make("His", "green")))
    with opened(browser, ada, "#/playlists") as seen:
        rows = seen.page.locator(".listed")

        expect(rows).to_have_count(2)
        expect(rows.nth(0)).to_have_text(f"Hisby {bob.site.name} · Private1 track")
        expect(rows.nth(1)).to_have_text("MinePublic2 tracks")
    assert seen.errors == []


# Editing


def test_the_keyboard_moves_and_removes_and_keeps_the_focus(
    browser: Browser, ada: Listener
) -> None:
    playlist = ada.make("Mix", "sin", "sowhat", "green", "freddie")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        does(page, "Move down", "Sinnerman").focus()
        for place in (2, 3, 4):
            page.keyboard.press("Enter")
            expect(told(page)).to_contain_text(f"to place {place} of 4.")
            expect(does(page, "Move down", "Sinnerman")).to_be_focused()
        page.keyboard.press("Enter")
        expect(told(page)).to_have_text("It stands last already.")
        page.keyboard.press("Shift+Tab")
        expect(does(page, "Move up", "Sinnerman")).to_be_focused()
        page.keyboard.press("Space")
        expect(titles(page)).to_have_text(
            ["So What", "Blue in Green", "Sinnerman", "Freddie Freeloader"]
        )
        does(page, "Remove", "Sinnerman").focus()
        page.keyboard.press("Enter")
        expect(told(page)).to_contain_text("Removed “")
        expect(does(page, "Remove", "Freddie Freeloader")).to_be_focused()

        for left in ("Blue in Green", "So What"):
            page.keyboard.press("Enter")
            expect(does(page, "Remove", left)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_text("No tracks yet.")).to_be_visible()
        expect(page.get_by_role("heading", name="Tracks")).to_be_focused()
    assert ada.tracks(playlist) == []
    assert seen.errors == []


def test_what_is_pressed_twice_or_held_down_removes_one_track(
    browser: Browser, ada: Listener
) -> None:
    playlist = ada.make("Alike")
    ada.add(playlist, "sin", "sin", "sin", "sowhat", "green")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        held: list[Route] = []

        def hold(route: Route) -> None:
            if held:
                route.continue_()
            held.append(route)

        page.route("**/items", hold)
        with page.expect_request("**/items"):
            does(page, "Remove", "Sinnerman").first.click()
        page.keyboard.press("Enter")
        held[0].continue_()
        expect(items(page)).to_have_count(4)
        does(page, "Remove", "So What").click()
        expect(items(page)).to_have_count(3)
        does(page, "Remove", "Blue in Green").hover()
        page.mouse.down(click_count=2)
        page.mouse.up(click_count=2)
        does(page, "Remove", "Sinnerman").first.focus()
        for _ in range(2):
            page.keyboard.down("Enter")
            expect(items(page)).to_have_count(2)
        does(page, "Move up", "Blue in Green").click()  # behind all that was asked for before
        expect(told(page)).to_contain_text("to place 1 of 2.")
    assert ada.tracks(playlist) == ["green", "sin"]
    assert seen.errors == []


def test_the_mouse_moves_removes_and_drags(browser: Browser, ada: Listener) -> None:
    playlist = ada.make("Mix", "sin", "sowhat", "green", "freddie", "strange")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        does(page, "Move up", "Blue in Green").click()
        does(page, "Move up", "Blue in Green").click()
        does(page, "Remove", "So What").click()
        expect(titles(page)).to_have_text(
            ["Blue in Green", "Sinnerman", "Freddie Freeloader", "Strange Fruit"]
        )
        page.locator(".grip").nth(0).drag_to(
            items(page).nth(2), target_position={"x": 200, "y": 60}
        )
        expect(told(page)).to_contain_text("to place 3 of 4.")
        page.locator(".grip").nth(3).drag_to(items(page).nth(0), target_position={"x": 200, "y": 5})
        expect(told(page)).to_contain_text("to place 1 of 4.")
    assert ada.tracks(playlist) == ["strange", "sin", "freddie", "green"]
    assert seen.errors == []


def test_an_edit_made_elsewhere_appears_without_moving_what_is_looked_at(
    browser: Browser, ada: Listener
) -> None:
    playlist = ada.make("Long")
    ada.add(playlist, *(f"n{number}" for number in range(60)))
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        does(page, "Move down", "Number 40").focus()
        before = does(page, "Move down", "Number 40").bounding_box()
        ada.add(playlist, "sin", "sowhat", position=0)
        ada.remove(playlist, "n50")
        ada.move(playlist, 45, 5)

        expect(items(page)).to_have_count(61)
        expect(titles(page).first).to_have_text("Sinnerman")
        expect(titles(page).nth(5)).to_have_text("Number 43")
        expect(does(page, "Move down", "Number 40")).to_be_focused()
        after = does(page, "Move down", "Number 40").bounding_box()
        assert before
        assert after
        assert abs(before["y"] - after["y"]) < 2
    assert seen.errors == []


def test_what_has_the_focus_may_be_removed_elsewhere(browser: Browser, ada: Listener) -> None:
    playlist = ada.make("Mix", "sin", "sowhat", "green")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        does(seen.page, "Move up", "So What").focus()
        ada.remove(playlist, "sowhat")
        look_again(seen.page)

        expect(does(seen.page, "Move up", "Blue in Green")).to_be_focused()


def test_moving_in_a_view_that_is_behind_moves_what_was_meant(
    browser: Browser, ada: Listener, bob: Listener
) -> None:
    playlist = ada.make("Mix", "sin", "sowhat", "green", "freddie")
    bob.join(ada.invite(playlist))
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        expect(items(page)).to_have_count(4)
        stay_behind(page)
        bob.add(playlist, "strange", position=0)
        bob.move(playlist, 4, 1)
        assert bob.tracks(playlist) == ["strange", "freddie", "sin", "sowhat", "green"]
        does(page, "Move up", "Blue in Green").click()

        expect(told(page)).to_contain_text("to place 4 of 5.")
        expect(titles(page).nth(3)).to_have_text("Blue in Green")
        expect(does(page, "Move up", "Blue in Green")).to_be_focused()
    assert ada.tracks(playlist) == ["strange", "freddie", "sin", "green", "sowhat"]
    assert seen.errors == []


def test_removing_in_a_view_that_is_behind_removes_what_was_meant(
    browser: Browser, ada: Listener
) -> None:
    playlist = ada.make("Twice", "sin", "sowhat", "sin")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        expect(items(page)).to_have_count(3)
        stay_behind(page)
        ada.add(playlist, "sin", position=0)
        does(page, "Remove", "Sinnerman").last.click()

        expect(titles(page)).to_have_text(["Sinnerman", "Sinnerman", "So What"])
    assert ada.tracks(playlist) == ["sin", "sin", "sowhat"]
    assert seen.errors == []


def test_tracks_that_are_alike_are_told_apart(browser: Browser, ada: Listener) -> None:
    playlist = ada.make("Again")
    ada.add(playlist, "sin", "sin", "sowhat", "sin")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        does(seen.page, "Move up", "Sinnerman").last.click()
        expect(told(seen.page)).to_contain_text("to place 3 of 4.")
        does(seen.page, "Remove", "Sinnerman").first.click()
        expect(items(seen.page)).to_have_count(3)
    assert ada.tracks(playlist) == ["sin", "sin", "sowhat"]


def test_a_long_playlist_goes_on_and_moves_past_what_is_shown(
    browser: Browser, ada: Listener
) -> None:
    playlist = ada.make("Longer")
    ada.add(playlist, *(f"n{number}" for number in range(100)))
    ada.add(playlist, *(f"n{number}" for number in range(100, NUMBERED)))
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        expect(items(page)).to_have_count(100)
        does(page, "Move down", "Number 99").click()
        expect(told(page)).to_contain_text(f"to place 101 of {NUMBERED}.")
        expect(does(page, "Move down", "Number 99")).to_be_focused()

        expect(items(page)).to_have_count(NUMBERED)
        expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    assert seen.errors == []


def test_more_of_a_long_playlist_is_shown_when_asked(browser: Browser, ada: Listener) -> None:
    playlist = ada.make("Longer")
    ada.add(playlist, *(f"n{number}" for number in range(100)))
    ada.add(playlist, "sin", "sowhat")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        page.get_by_role("button", name="Show more").click()

        expect(page.get_by_role("link", name="Sinnerman")).to_be_focused()
        expect(items(page)).to_have_count(102)
        ada.remove(playlist, "n5")
        look_again(page)
        expect(items(page)).to_have_count(101)
    assert seen.errors == []


def test_looking_again_costs_little_while_nothing_changes(browser: Browser, ada: Listener) -> None:
    playlist = ada.make("Mix", "sin")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        expect(items(seen.page)).to_have_count(1)
        for _ in range(2):
            with seen.page.expect_response(lambda answer: f"/{playlist}?" in answer.url) as looked:
                look_again(seen.page)
            assert looked.value.status == 304
        expect(problem(seen.page)).to_have_text("")
    assert seen.errors == []


# What can go wrong


def test_a_playlist_that_was_deleted_elsewhere_is_told_in_words(
    browser: Browser, ada: Listener
) -> None:
    playlist = ada.make("Short-lived", "sin")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        expect(items(page)).to_have_count(1)
        ada.delete(playlist)

        expect(page.locator("#view-error")).to_have_text(
            "This playlist has been deleted, or is shared with you no longer."
        )
        expect(items(page)).to_have_count(0)
        page.reload()
        expect(page.locator("#view-error")).to_have_text(
            "There is no such playlist, or it is not shared with you."
        )
        page.get_by_role("link", name="Playlists").click()
        expect(page.get_by_text("None yet: make the first one.")).to_be_visible()


def test_who_may_no_longer_edit_is_told_so(browser: Browser, ada: Listener, bob: Listener) -> None:
    playlist = bob.make("His", "sin", "sowhat", public=True)
    ada.join(bob.invite(playlist))
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        expect(does(page, "Remove", "Sinnerman")).to_be_visible()
        listener_id = ada.client.get("/v1/me").json()["id"]
        bob.client.delete(f"/v1/playlists/{playlist}/collaborators/{listener_id}")
        does(page, "Remove", "Sinnerman").click()

        expect(problem(page)).to_have_text("This playlist is not yours to change.")
        expect(page.locator(".item-does")).to_have_count(0)
        expect(page.get_by_role("button", name="Follow")).to_be_visible()
    assert bob.tracks(playlist) == ["sin", "sowhat"]


def test_a_session_that_ended_leads_from_an_edit_to_the_door(
    browser: Browser, ada: Listener
) -> None:
    playlist = ada.make("Mix", "sin")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        expect(items(seen.page)).to_have_count(1)
        seen.page.route("**/v1/token", lambda route: route.fulfill(status=400, json={}))
        seen.page.route("**/items", lambda route: route.fulfill(status=401, json={}))
        does(seen.page, "Remove", "Sinnerman").click()

        expect(seen.page.locator("#door-reason")).to_contain_text("Your session has ended")
        expect(seen.page.locator("#view")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 1280])
def test_names_of_any_kind_are_only_text_and_fit(
    browser: Browser, server: Heartline, width: int
) -> None:
    server.write("artist", {"id": "x", "name": HOSTILE})
    tracks = ({"id": f"x{n}", "name": name, "artists": ["x"]} for n, name in enumerate(NAMES))
    server.write("track", *tracks)
    who = server.listener(f"<b>{width}</b>")
    made = [who.make(name, f"x{n}", description=name) for n, name in enumerate(NAMES)]
    who.add(made[0], *(f"x{n}" for n in range(1, len(NAMES))))
    guest = server.listener("<i>guest</i>")
    guest.join(who.invite(made[0]))
    guest.add(made[0], "x0")
    with opened(browser, who, "#/playlists", width=width, scheme="dark") as seen:
        page = seen.page
        expect(page.locator(".listed-title")).to_have_text(NAMES[::-1], use_inner_text=False)
        assert widest(page) == width
        for playlist, name in zip(made, NAMES, strict=True):
            page.goto(f"{who.site.url}#/playlist/{playlist}")
            expect(page.locator("#view-name")).to_have_text(name, use_inner_text=False)
            assert widest(page) == width, name
        page.goto(f"{who.site.url}#/playlist/{made[0]}")
        expect(page.locator("#view-name")).to_have_text(NAMES[0], use_inner_text=False)
        for name in ("Name and description", "Sharing", "History"):
            panel(page, name)
        expect(page.locator(".versions li")).to_have_count(4)
        expect(page.locator(".people").last).to_contain_text("<i>guest</i>")
        does(page, "Remove", HOSTILE).first.click()
        expect(told(page)).to_contain_text(HOSTILE)

        assert widest(page) == width
        assert page.locator("main img, main script, main b b, main i").count() == 0
        expect(page).to_have_title(re.compile("^<img .* · Heartline$"))
    assert seen.errors == []


# How it looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits_every_width_in_both_schemes(
    browser: Browser, ada: Listener, width: int, scheme: str, tmp_path: Path
) -> None:
    ada.make("Sunday morning", "sin", "sowhat", "strange", "freddie", description="Slow.")
    with opened(browser, ada, "#/playlists", width=width, scheme=scheme) as seen:
        page = seen.page
        expect(page.locator(".listed")).to_have_count(1)
        widths = [widest(page)]
        page.get_by_role("link", name="Sunday morning").click()
        expect(items(page)).to_have_count(4)
        widths.append(widest(page))
        for name in ("Name and description", "Sharing", "History"):
            panel(page, name)
        page.get_by_role("button", name="Make a link").click()
        expect(page.get_by_label("The link, shown only now")).to_be_visible()
        widths.append(widest(page))
        page.screenshot(path=tmp_path / f"playlist-{width}-{scheme}.png", full_page=True)
        assert widths == [width] * 3
    assert seen.errors == []
