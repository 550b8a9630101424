"""What a playlist's owner does with it on the page, and those with whom it is shared."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.page_playlist_steps import (
    does,
    items,
    look_again,
    opened,
    panel,
    problem,
    titles,
    told,
)
from tests.end_to_end.page_playlists import Listener
from tests.end_to_end.page_steps import IN_CHROMIUM, Site, log_in, visit

pytestmark = IN_CHROMIUM

SECRET_PLACES = """() => JSON.stringify([
  location.href, document.title, {...sessionStorage}, {...localStorage}, document.cookie, history.state,
])"""


# For its owner


def test_the_owner_renames_describes_and_publishes(browser: Browser, ada: Listener) -> None:
    playlist = ada.make("Old", "sin")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        form = panel(page, "Name and description")
        form.get_by_label("Name", exact=True).fill("New")
        form.get_by_label("Description").fill("Two\nlines")
        form.get_by_label("Public").check()
        form.get_by_role("button", name="Save").click()

        expect(page.get_by_role("heading", name="New")).to_be_visible()
        expect(page.locator("#view-kind")).to_have_text("Public playlist")
        expect(page.locator(".description")).to_have_text("Two\nlines")
        expect(told(page)).to_have_text("Saved.")
        expect(page).to_have_title("New · Heartline")
    shown = ada.read(playlist)
    assert (shown["name"], shown["description"], shown["public"]) == ("New", "Two\nlines", True)
    assert seen.errors == []


def test_what_is_being_typed_is_kept_when_others_change_it(browser: Browser, ada: Listener) -> None:
    playlist = ada.make("Old", "sin")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        form = panel(seen.page, "Name and description")
        form.get_by_label("Description").fill("half a sent")
        ada.client.put(f"/v1/playlists/{playlist}", json={"name": "Elsewhere"})
        look_again(seen.page)
        expect(seen.page.get_by_role("heading", name="Elsewhere")).to_be_visible()

        expect(form.get_by_label("Description")).to_be_focused()
        expect(form.get_by_label("Description")).to_have_value("half a sent")
    assert seen.errors == []


def test_deleting_asks_first(browser: Browser, ada: Listener) -> None:
    playlist = ada.make("Doomed", "sin")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        form = panel(page, "Name and description")
        form.get_by_role("button", name="Delete this playlist").click()
        expect(page.get_by_role("dialog")).to_contain_text("it cannot be brought back")
        expect(page.get_by_role("button", name="Cancel")).to_be_focused()
        page.keyboard.press("Escape")
        expect(form.get_by_role("button", name="Delete this playlist")).to_be_focused()
        assert ada.playlists() == ["Doomed"]
        form.get_by_role("button", name="Delete this playlist").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()

        expect(page.get_by_role("heading", name="Playlists", exact=True)).to_be_focused()
        expect(told(page)).to_contain_text("Deleted “")
    assert ada.playlists() == []
    assert seen.errors == []


def test_an_older_version_is_told_in_words_and_restored(
    browser: Browser, ada: Listener, bob: Listener
) -> None:
    playlist = ada.make("Mix", "sin")
    ada.add(playlist, "sowhat", "green", "freddie")
    bob.join(ada.invite(playlist))
    bob.remove(playlist, "sowhat")
    bob.move(playlist, 0, 3)
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        versions = panel(page, "History").locator("li")
        said = versions.locator(".person-note")
        name = bob.site.name
        expect(said).to_have_text(
            [
                f"{name} moved 1",
                f"{name} removed 1",
                "You added 3",
                "You added 1",
                "You named it, changed who may see it",
            ]
        )
        expect(versions.nth(0).get_by_role("button")).to_have_count(0)
        versions.nth(2).get_by_role("button", name="Restore").click()

        expect(told(page)).to_contain_text("It is again as it was on")
        expect(said.first).to_have_text("You added 1, moved 1")
        expect(versions).to_have_count(6)
    assert ada.tracks(playlist) == ["sin", "sowhat", "green", "freddie"]
    assert seen.errors == []


# Sharing


def test_an_invitation_leads_from_the_link_to_editing_together(
    browser: Browser, ada: Listener, bob: Listener
) -> None:
    playlist = ada.make("Ours", "sin", "sowhat")
    with opened(browser, ada, f"#/playlist/{playlist}") as hers:
        sharing = panel(hers.page, "Sharing")
        expect(sharing.get_by_text("Nobody has joined yet.")).to_be_visible()
        sharing.get_by_role("button", name="Make a link").click()
        link = sharing.get_by_label("The link, shown only now")
        expect(link).to_be_focused()
        url = link.input_value()
        assert url.startswith(f"{ada.site.url}#/invitation/{playlist}.")

        with visit(browser, Site(url, bob.site.name, bob.site.password)) as his:
            page = his.page
            expect(page.locator("#door-reason")).to_contain_text("Somebody shares a playlist")
            log_in(page, bob.site)
            expect(page.get_by_role("heading", name="Join this playlist?")).to_be_visible()
            page.get_by_role("button", name="Join").click()
            expect(page.get_by_role("heading", name="Ours")).to_be_focused()
            expect(told(page)).to_have_text("You have joined this playlist, and may edit it.")
            does(page, "Move down", "Sinnerman").click()
            expect(told(page)).to_contain_text("to place 2 of 2.")
            _has_no_trace(page, url)

            look_again(hers.page)
            expect(sharing.locator(".people").last).to_contain_text(bob.site.name)
            expect(titles(hers.page)).to_have_text(["So What", "Sinnerman"])
            sharing.get_by_role("button", name="Withdraw").click()
            hers.page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
            expect(sharing.get_by_text("Nobody has joined yet.")).to_be_visible()
            expect(link).to_be_hidden()
            expect(page.locator("#view-error")).to_contain_text("shared with you no longer")
    assert ada.tracks(playlist) == ["sowhat", "sin"]
    assert hers.errors == []


def _has_no_trace(page: Page, url: str) -> None:
    secret = url.rpartition(".")[2]
    assert secret not in page.evaluate(SECRET_PLACES)
    assert page.evaluate("indexedDB.databases()") == []
    page.go_back()
    expect(page).not_to_have_url(re.compile("#"))  # where it was before the link was there
    page.go_forward()
    expect(page.get_by_role("heading", name="Ours")).to_be_visible()
    assert secret not in page.evaluate(SECRET_PLACES)


def test_an_invitation_leaves_the_address_before_it_is_used(
    browser: Browser, ada: Listener, bob: Listener
) -> None:
    url = ada.invite(ada.make("Ours"))
    with opened(browser, bob, url.removeprefix(bob.site.url)) as seen:
        expect(seen.page.get_by_role("button", name="Join")).to_be_visible()
        assert url.rpartition(".")[2] not in seen.page.evaluate(SECRET_PLACES)
        assert seen.page.url.endswith("#/invitation")
        seen.page.get_by_role("button", name="Log out").click()
        log_in(seen.page, bob.site)

        expect(seen.page.get_by_role("heading", name="This link opens nothing")).to_be_visible()
    assert bob.playlists() == []
    assert seen.errors == []


@pytest.mark.parametrize("link", ["withdrawn", "changed", "cut"])
def test_an_invitation_that_opens_nothing_is_told_in_words(
    browser: Browser, ada: Listener, bob: Listener, link: str
) -> None:
    playlist = ada.make("Ours")
    url = ada.invite(playlist)
    if link == "withdrawn":
        invitation = url.split(".")[-2]
        ada.client.delete(f"/v1/playlists/{playlist}/invites/{invitation}")
    address = {"withdrawn": url, "changed": f"{url}x", "cut": url.rpartition(".")[0]}[link]
    with opened(browser, bob, address.removeprefix(bob.site.url)) as seen:
        page = seen.page
        if link == "cut":
            expect(page.get_by_text("It is not whole.")).to_be_visible()
            return
        page.get_by_role("button", name="Join").click()

        expect(problem(page)).to_have_text("The invitation is unknown, withdrawn or expired.")
        expect(page.get_by_role("link", name="Your playlists")).to_be_focused()
        expect(page.get_by_role("button", name="Join")).to_have_count(0)


def test_who_may_only_see_has_nothing_to_edit_with_and_may_leave(
    browser: Browser, ada: Listener, bob: Listener
) -> None:
    playlist = ada.make("Look, do not touch", "sin")
    with opened(browser, bob, ada.invite(playlist, "view").removeprefix(bob.site.url)) as seen:
        page = seen.page
        page.get_by_role("button", name="Join").click()
        expect(told(page)).to_have_text("You have joined this playlist.")
        expect(items(page)).to_have_count(1)
        assert page.locator(".item-does, .grip").count() == 0
        page.get_by_role("button", name="Leave this playlist").click()
        page.get_by_role("dialog").get_by_role("button", name="Leave").click()

        expect(page.get_by_text("None yet: make the first one.")).to_be_visible()
        expect(told(page)).to_contain_text("You have left “")
    assert ada.collaborators(playlist) == []
    assert seen.errors == []


def test_the_owner_removes_who_has_joined(browser: Browser, ada: Listener, bob: Listener) -> None:
    playlist = ada.make("Ours")
    bob.join(ada.invite(playlist))
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        sharing = panel(seen.page, "Sharing")
        sharing.get_by_role("button", name=re.compile("^Remove “")).click()
        seen.page.get_by_role("dialog").get_by_role("button", name="Remove").click()

        expect(sharing.get_by_text("Nobody has joined yet.")).to_be_visible()
    assert ada.collaborators(playlist) == []
    assert seen.errors == []


def test_the_link_is_copied(browser: Browser, ada: Listener) -> None:
    playlist = ada.make("Ours")
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        sharing = panel(page, "Sharing")
        sharing.get_by_label("Invite others to").select_option("see it")
        sharing.get_by_role("button", name="Make a link").click()
        link = sharing.get_by_label("The link, shown only now")
        expect(link).to_be_focused()
        sharing.get_by_role("button", name="Copy").click()

        expect(told(page)).to_have_text("Copied the link.")
        assert page.evaluate("navigator.clipboard.readText()") == link.input_value()
        expect(sharing.locator(".people").first).to_contain_text("May see")
    assert seen.errors == []


def test_a_playlist_of_somebody_else_is_followed_and_unfollowed(
    browser: Browser, ada: Listener, bob: Listener
) -> None:
    playlist = bob.make("His", "sin", public=True)
    with opened(browser, ada, f"#/playlist/{playlist}") as seen:
        page = seen.page
        expect(page.locator(".facts")).to_contain_text(f"Owner{bob.site.name}")
        assert page.locator("details.panel:visible").count() == 0
        page.get_by_role("button", name="Follow", exact=True).click()
        expect(told(page)).to_have_text("You follow this playlist.")
        expect(page.locator(".facts")).to_contain_text("Followers1")
        assert ada.playlists() == ["His"]
        page.get_by_role("button", name="Unfollow").click()
        expect(page.locator(".facts")).to_contain_text("Followers0")
    assert ada.playlists() == []
    assert seen.errors == []


# Adding


def test_a_track_is_added_to_those_playlists_that_one_may_edit(
    browser: Browser, ada: Listener, bob: Listener
) -> None:
    mine = ada.make("Mine")
    ours = bob.make("Ours")
    ada.join(bob.invite(ours))
    ada.join(bob.invite(bob.make("Only to see"), "view"))
    with opened(browser, ada, "#/track/sin") as seen:
        page = seen.page
        page.get_by_role("button", name="Add to playlist").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("listitem")).to_have_text(["Ours0 tracks", "Mine0 tracks"])
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("status")).to_contain_text("Added to “\u2068Ours")
        dialog.get_by_role("button", name="Mine").click()
        expect(dialog.get_by_role("status")).to_contain_text("Added to “\u2068Mine")
        page.keyboard.press("Escape")

        expect(page.get_by_role("button", name="Add to playlist")).to_be_focused()
    assert (ada.tracks(mine), ada.tracks(ours)) == (["sin"], ["sin"])
    assert seen.errors == []


def test_tracks_in_lists_can_be_added_too(browser: Browser, ada: Listener) -> None:
    playlist = ada.make("Mine", "sin")
    with opened(browser, ada, "#/album/kind") as seen:
        page = seen.page
        page.get_by_role("button", name=re.compile("Add “.*So What.*” to a playlist")).click()
        page.get_by_role("dialog").get_by_role("button", name="Mine").click()
        expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("Added to")
    assert ada.tracks(playlist) == ["sin", "sowhat"]
    assert seen.errors == []


def test_who_has_no_playlist_is_led_to_making_one(browser: Browser, ada: Listener) -> None:
    with opened(browser, ada, "#/track/sin") as seen:
        seen.page.get_by_role("button", name="Add to playlist").click()
        seen.page.get_by_role("dialog").get_by_role("link", name="Make one").click()

        expect(seen.page.get_by_label("A new playlist")).to_be_visible()
        expect(seen.page.get_by_role("dialog")).to_be_hidden()
    assert seen.errors == []
