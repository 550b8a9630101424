"""Playlists over HTTP, as Spotify's clients use them."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.catalogue import Album, Artist, Track
from domain.playlists import HISTORY_DAYS, MOST_TOGETHER, NAME_CHARACTERS
from domain.units import DAY_MS
from stores.accounts import Scope
from tests.domain.test_jpeg import jpeg
from tests.serve.world import HOST, World


def uris(names: str) -> list[str]:
    return [f"spotify:track:{name}" for name in names]


@pytest.fixture
async def ann(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client(await world.account("ann")) as client:
        yield client


@pytest.fixture
async def bob(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.client(await world.account("bob")) as client:
        yield client


async def new(client: httpx.AsyncClient, names: str = "", **said: Any) -> str:
    """Make a playlist of tracks, and tell its URL."""
    made = await client.post("/v1/me/playlists", json={"name": "Mix", **said})
    assert made.status_code == 201
    url = f"/v1/playlists/{made.json()['id']}"
    if names:
        await client.post(f"{url}/items", json={"uris": uris(names)})
    return url


async def tracks(client: httpx.AsyncClient, url: str) -> str:
    items = (await client.get(f"{url}/items")).json()["items"]
    return "".join(item["track"]["id"] for item in items)


async def snapshot(client: httpx.AsyncClient, url: str) -> str:
    return str((await client.get(f"{url}?fields=snapshot_id")).json()["snapshot_id"])


async def me(client: httpx.AsyncClient) -> str:
    return str((await client.get("/v1/me")).json()["id"])


async def test_a_new_playlist_has_spotifys_shape(ann: httpx.AsyncClient) -> None:
    said = {"name": "Mix", "description": "of all", "public": False}
    made = await ann.post("/v1/me/playlists", json=said)

    shown = made.json()
    assert made.headers["Location"] == shown["href"] == f"{HOST}/v1/playlists/{shown['id']}"
    assert shown["uri"] == f"heartline:playlist:{shown['id']}"
    assert {name: shown[name] for name in said} == said
    assert shown["owner"] == {
        "display_name": "ann",
        "external_urls": {},
        "href": f"{HOST}/v1/users/{await me(ann)}",
        "id": await me(ann),
        "type": "user",
        "uri": f"heartline:user:{await me(ann)}",
    }
    assert shown["followers"] == {"href": None, "total": 0}
    assert shown["items"] == shown["tracks"]
    assert shown["items"]["total"] == 0
    assert shown["primary_color"] is None
    assert shown["type"] == "playlist"
    assert (await ann.get(shown["href"])).json() == shown


async def test_one_may_be_made_under_its_older_url_but_only_ones_own(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    url = f"/v1/users/{await me(ann)}/playlists"

    assert (await ann.post(url, json={"name": "Mix"})).status_code == 201
    assert (await bob.post(url, json={"name": "Mix"})).status_code == 403


@pytest.mark.parametrize(
    ("said", "public", "collaborative"),
    [
        ({}, True, False),
        ({"public": False}, False, False),
        ({"collaborative": True}, False, True),
        ({"public": None, "description": None}, True, False),
    ],
)
async def test_a_playlist_is_public_unless_it_is_said(
    ann: httpx.AsyncClient, said: dict[str, Any], *, public: bool, collaborative: bool
) -> None:
    made = (await ann.post("/v1/me/playlists", json={"name": "Mix", **said})).json()

    assert (made["public"], made["collaborative"]) == (public, collaborative)


async def test_a_request_with_a_key_may_be_sent_again(ann: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    one, two = [
        (await ann.post("/v1/me/playlists", json={"name": "Mix"}, headers=headers)).json()
        for _ in range(2)
    ]
    url = f"/v1/playlists/{one['id']}"
    added = [
        (await ann.post(f"{url}/items", json=uris("ab"), headers=headers)).json() for _ in range(2)
    ]
    other = await ann.post(f"{url}/items", json=uris("c"), headers={"Idempotency-Key": "k2"})

    assert one["id"] == two["id"]
    assert added[0] == added[1] != other.json()
    assert await tracks(ann, url) == "abc"
    assert (await ann.get("/v1/me/playlists")).json()["total"] == 1


async def test_an_item_has_spotifys_shape(world: World, ann: httpx.AsyncClient) -> None:
    await world.describe(
        Artist("ar", "Air"),
        Album("al", "Moon Safari", artists=("ar",)),
        Track("a", "La femme", artists=("ar",), album="al"),
    )
    url = await new(ann, "a")

    item = (await ann.get(f"{url}/tracks")).json()["items"][0]

    assert item["added_at"] == "2026-11-16T00:00:00.000Z"
    assert item["added_by"]["id"] == await me(ann)
    assert item["track"] == item["item"]
    assert item["track"]["name"] == "La femme"
    assert item["track"]["artists"][0]["name"] == "Air"
    assert item["track"]["album"]["name"] == "Moon Safari"
    assert (item["track"]["track"], item["track"]["episode"]) == (True, False)
    assert (item["is_local"], item["primary_color"]) == (False, None)
    assert item["video_thumbnail"] == {"url": None}


async def test_items_come_in_pages(ann: httpx.AsyncClient) -> None:
    url = await new(ann, "abcdefg")

    first = (await ann.get(f"{url}/items?limit=3&offset=2")).json()
    after = (await ann.get(first["next"])).json()

    assert [item["track"]["id"] for item in first["items"]] == ["c", "d", "e"]
    assert [item["track"]["id"] for item in after["items"]] == ["f", "g"]
    assert (first["total"], first["limit"], first["offset"], after["next"]) == (7, 3, 2, None)
    assert after["previous"] == f"{HOST}{url}/items?limit=3&offset=2"
    assert (await ann.get(f"{url}/items?limit=101")).status_code == 422


async def test_long_playlists_come_with_their_first_hundred_items(ann: httpx.AsyncClient) -> None:
    url = await new(ann)
    for _ in range(2):
        await ann.post(f"{url}/items", json=["heartline:track:t"] * 70)

    shown = (await ann.get(url)).json()["tracks"]

    assert (len(shown["items"]), shown["total"]) == (100, 140)
    assert len((await ann.get(shown["next"])).json()["items"]) == 40


async def test_only_some_fields_are_shown(ann: httpx.AsyncClient) -> None:
    url = await new(ann, "ab")

    shown = (await ann.get(f"{url}?fields=name,tracks.items(track.id),tracks.total")).json()
    items = (await ann.get(f"{url}/items?fields=items(added_by.id),total")).json()

    track = [{"track": {"id": "a"}}, {"track": {"id": "b"}}]
    assert shown == {"name": "Mix", "tracks": {"items": track, "total": 2}}
    assert items == {"items": [{"added_by": {"id": await me(ann)}}] * 2, "total": 2}
    refused = await ann.get(f"{url}?fields=a(")
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "fields")


async def test_details_change_only_as_said(ann: httpx.AsyncClient) -> None:
    url = await new(ann, description="old")

    assert (await ann.put(url, json={"name": "Other"})).status_code == 200
    shown = (await ann.get(url)).json()
    assert (shown["name"], shown["description"], shown["public"]) == ("Other", "old", True)
    await ann.put(url, json={"public": False, "collaborative": True, "description": None})
    shown = (await ann.get(url)).json()
    assert (shown["description"], shown["public"], shown["collaborative"]) == ("", False, True)


async def test_tracks_are_added_in_every_way_that_clients_have(ann: httpx.AsyncClient) -> None:
    url = await new(ann)
    ways: list[tuple[str, Any]] = [
        ("/items", {"uris": uris("a")}),
        ("/tracks", uris("b")),
        (f"/tracks?uris={','.join(uris('cd'))}", None),
        ("/items", {"uris": uris("e"), "position": 0}),
        ("/items?position=1", uris("f")),
        (f"/items?uris={uris('g')[0]}&position=0", None),
    ]
    for path, body in ways:
        answer = await ann.post(f"{url}{path}", json=body) if body else await ann.post(url + path)
        assert answer.status_code == 201
        assert answer.headers["ETag"] == f'"{answer.json()["snapshot_id"]}"'

    assert await tracks(ann, url) == "gefabcd"


async def test_everything_is_replaced(ann: httpx.AsyncClient) -> None:
    url = await new(ann, "abc")

    await ann.put(f"{url}/items", json={"uris": uris("de")})
    assert await tracks(ann, url) == "de"
    await ann.put(f"{url}/tracks?uris={uris('f')[0]}")
    assert await tracks(ann, url) == "f"
    await ann.put(f"{url}/tracks", json={"uris": []})
    assert await tracks(ann, url) == ""


async def test_a_stale_snapshot_moves_what_was_seen(
    ann: httpx.AsyncClient,
) -> None:
    url = await new(ann, "abcdef")
    seen = await snapshot(ann, url)
    await ann.put(f"{url}/items", json={"range_start": 5, "insert_before": 0})

    said = {"range_start": 0, "insert_before": 3, "range_length": 2, "snapshot_id": seen}
    moved = await ann.put(f"{url}/items", json=said)

    assert await tracks(ann, url) == "fcabde"
    assert moved.json()["snapshot_id"] == await snapshot(ann, url)


async def test_a_stale_snapshot_removes_what_was_seen(ann: httpx.AsyncClient) -> None:
    url = await new(ann, "abca")
    seen = await snapshot(ann, url)
    await ann.post(f"{url}/items", json={"uris": uris("a"), "position": 0})

    gone = {"uri": uris("a")[0], "positions": [3]}
    said = {"tracks": [gone], "snapshot_id": seen}
    await ann.request("DELETE", f"{url}/tracks", json=said)
    assert await tracks(ann, url) == "aabc"

    said = {"items": [{"uri": uris("a")[0]}], "snapshot_id": seen}
    await ann.request("DELETE", f"{url}/items", json=said)
    assert await tracks(ann, url) == "abc"


async def test_who_wants_no_merge_is_told_that_it_has_changed(ann: httpx.AsyncClient) -> None:
    url = await new(ann, "abc")
    tag = (await ann.get(url)).headers["ETag"]
    move = {"range_start": 0, "insert_before": 3}

    first = await ann.put(f"{url}/items", json=move, headers={"If-Match": tag})
    again = await ann.put(f"{url}/items", json=move, headers={"If-Match": tag})
    other = await ann.put(f"{url}/items", json=move, headers={"If-Match": '"other"'})
    any_ = await ann.put(f"{url}/items", json=move, headers={"If-Match": "*"})
    newest = {"If-Match": any_.headers["ETag"]}
    details = await ann.put(url, json={"name": "Other"}, headers=newest)
    stale = await ann.put(url, json={"name": "Third"}, headers=newest)

    statuses = [each.status_code for each in (first, again, other, any_, details, stale)]
    assert statuses == [200, 412, 412, 200, 200, 412]
    assert again.json()["error"]["reason"] == "stale_version"
    assert (await ann.get(url)).json()["name"] == "Other"


async def test_what_has_not_changed_is_not_sent_again(ann: httpx.AsyncClient) -> None:
    url = await new(ann, "abc")
    for path in (url, f"{url}/items", "/v1/me/playlists"):
        tag = (await ann.get(path)).headers["ETag"]

        assert (await ann.get(path, headers={"If-None-Match": tag})).status_code == 304


FAR = 10**12
BAD: list[tuple[str, str, Any, str]] = [
    ("POST", "/items", {"uris": uris("a"), "position": 4}, "position"),
    ("POST", "/items", {"uris": uris("a"), "position": -1}, "position"),
    ("POST", "/items", {"uris": uris("a"), "position": FAR}, "position"),
    ("POST", "/items", {"uris": uris("a"), "position": "1"}, "position"),
    ("POST", "/items", {"uris": ["spotify:album:1"]}, "uris[0]"),
    ("POST", "/items", ["heartline:track:a", "x"], "uris[1]"),
    ("POST", "/items", ["spotify:episode:a"], "uris[0]"),
    ("POST", "/items", uris("a") * (MOST_TOGETHER + 1), "uris"),
    ("POST", "/items", [], "uris"),
    ("POST", "/items", {}, "uris"),
    ("POST", "/items", {"uris": [7]}, "uris[0]"),
    ("POST", "/items", {"uris": uris("a"), "snapshot_id": "x"}, "snapshot_id"),
    ("PUT", "/items", {"uris": uris("a") * (MOST_TOGETHER + 1)}, "uris"),
    ("PUT", "/items", {}, "range_start"),
    ("PUT", "/items", {"range_start": 0}, "insert_before"),
    ("PUT", "/items", {"range_start": 3, "insert_before": 0}, "range_start"),
    ("PUT", "/items", {"range_start": 0, "insert_before": 4}, "insert_before"),
    ("PUT", "/items", {"range_start": 1, "insert_before": 0, "range_length": 3}, "range_length"),
    ("PUT", "/items", {"range_start": 1, "insert_before": 0, "range_length": 0}, "range_length"),
    (
        "DELETE",
        "/items",
        {"items": [{"uri": uris("a")[0], "positions": [1]}]},
        "items[0].positions",
    ),
    (
        "DELETE",
        "/items",
        {"tracks": [{"uri": uris("a")[0], "positions": [9]}]},
        "tracks[0].positions",
    ),
    ("DELETE", "/items", {"items": [{"uri": "x"}]}, "items[0]"),
    ("DELETE", "/items", {"items": [{"uri": "spotify:track:a"}] * 101}, "items"),
    ("DELETE", "/items", {"items": []}, "items"),
    ("DELETE", "/items", {}, "items"),
    ("PUT", "", {"name": ""}, "name"),
    ("PUT", "", {"name": "a\x00b"}, "name"),
    ("PUT", "", {"name": "x" * (NAME_CHARACTERS + 1)}, "name"),
    ("PUT", "", {"name": 7}, "name"),
    ("PUT", "", {"description": "a\x07"}, "description"),
    ("PUT", "", {"collaborative": True}, "collaborative"),
    ("POST", "/restore", {"snapshot_id": ""}, "snapshot_id"),
    ("POST", "/restore", {}, "snapshot_id"),
    ("POST", "/invites", {"role": "owner"}, "role"),
    ("POST", "/invites", {"role": "x"}, "role"),
    ("POST", "/invites", {"role": "edit", "days": 0}, "days"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), BAD)
async def test_what_is_bad_is_blamed_and_changes_nothing(
    ann: httpx.AsyncClient, method: str, path: str, body: Any, field: str
) -> None:
    url = await new(ann, "abc")
    before = (await ann.get(url)).content

    answer = await ann.request(method, url + path, json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
    assert (await ann.get(url)).content == before


async def test_snapshots_of_others_and_of_the_future_are_blamed(ann: httpx.AsyncClient) -> None:
    url, other = await new(ann, "abc"), await new(ann, "abcdef")
    theirs = await snapshot(ann, other)
    for _ in range(3):
        await ann.post(f"{other}/items", json=uris("x"))
    for snapshot_id in (theirs, theirs[::-1], "x" * 16, "é"):
        move = {"range_start": 0, "insert_before": 2, "snapshot_id": snapshot_id}

        answer = await ann.put(f"{url}/items", json=move)

        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "snapshot_id")


async def test_a_body_that_is_none_is_refused(ann: httpx.AsyncClient) -> None:
    url = await new(ann)
    kind = {"Content-Type": "application/json"}

    assert (await ann.post(f"{url}/items", content=b"{", headers=kind)).status_code == 400
    assert (await ann.post(f"{url}/items", content=b"", headers=kind)).status_code == 400
    assert (await ann.post(f"{url}/items", content=b"[" * 9_999, headers=kind)).status_code == 400
    assert (await ann.post(f"{url}/items", data={"uris": "x"})).status_code == 415
    assert (
        await ann.post(f"{url}/items", content=b" " * (2 << 20), headers=kind)
    ).status_code == 413
    assert (await ann.get("/v1/playlists/%00")).status_code == 404


async def test_lists_have_what_one_made_and_follows(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient, world: World
) -> None:
    public = await new(ann, "abc", name="Public")
    world.clock.advance(1)
    private = await new(ann, name="Private", public=False)
    world.clock.advance(1)
    await bob.put(f"{public}/followers", json={"public": False})
    await bob.put(f"{public}/followers")

    mine = (await ann.get("/v1/me/playlists")).json()
    theirs = (await bob.get("/v1/me/playlists")).json()
    seen = (await bob.get(f"/v1/users/{await me(ann)}/playlists")).json()

    assert [each["name"] for each in mine["items"]] == ["Private", "Public"]
    assert mine["items"][1]["tracks"] == {"href": f"{HOST}{public}/tracks", "total": 3}
    assert [each["name"] for each in theirs["items"]] == ["Public"]
    assert [each["name"] for each in seen["items"]] == ["Public"]
    assert (await ann.get(public)).json()["followers"]["total"] == 1
    ids = f"{await me(bob)},{await me(ann)}"
    assert (await ann.get(f"{public}/followers/contains?ids={ids}")).json() == [True, False]
    assert (await bob.get(f"{public}/followers/contains")).json() == [True]

    await bob.delete(f"{public}/followers")
    assert (await bob.get("/v1/me/playlists")).json()["total"] == 0
    assert (await bob.put(f"{private}/followers")).status_code == 404


async def test_a_list_comes_in_pages(ann: httpx.AsyncClient, world: World) -> None:
    for number in range(5):
        world.clock.advance(1)
        await new(ann, name=f"Mix {number}")

    first = (await ann.get("/v1/me/playlists?limit=2")).json()
    after = (await ann.get(first["next"])).json()

    assert [each["name"] for each in first["items"]] == ["Mix 4", "Mix 3"]
    assert [each["name"] for each in after["items"]] == ["Mix 2", "Mix 1"]
    assert first["total"] == 5


async def test_what_becomes_private_is_no_longer_listed(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    url = await new(ann)
    await bob.put(f"{url}/followers")
    await ann.put(url, json={"public": False})

    assert (await bob.get("/v1/me/playlists")).json()["items"] == []
    assert (await bob.get(url)).status_code == 404


async def test_what_is_deleted_is_gone(ann: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    url = await new(ann, "abc")
    await bob.put(f"{url}/followers")

    assert (await ann.delete(url)).status_code == 204

    assert (await ann.get(url)).status_code == 404
    assert (await ann.delete(url)).status_code == 204  # it may be asked for again
    assert (await bob.delete(url)).status_code == 404
    for client in (ann, bob):
        assert (await client.get("/v1/me/playlists")).json()["total"] == 0


async def test_whoever_has_a_link_joins_until_it_is_withdrawn(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    url = await new(ann, "a", public=False)
    link = (await ann.post(f"{url}/invites", json={"role": "edit", "days": 2})).json()
    assert link["url"] == f"{HOST}/#/invitation/{link['token']}"
    assert link["expires_at"] == "2026-11-18T00:00:00.000Z"
    stands = (await ann.get(f"{url}/invites")).json()["items"]
    assert [(each["id"], each["token"]) for each in stands] == [(link["id"], None)]

    for _ in range(2):
        joined = await bob.post(f"{url}/collaborators", json={"token": link["token"]})
        assert joined.json() == {"playlist_id": url.rpartition("/")[2], "role": "edit"}
    await bob.post(f"{url}/items", json=uris("b"))
    assert (await bob.get("/v1/me/playlists")).json()["total"] == 1
    members = (await ann.get(f"{url}/collaborators")).json()["items"]
    assert [(each["user"]["display_name"], each["role"]) for each in members] == [("bob", "edit")]

    assert (await ann.delete(f"{url}/invites/{link['id']}")).status_code == 204
    assert (await bob.get(url)).status_code == 404
    again = await bob.post(f"{url}/collaborators", json={"token": link["token"]})
    assert again.status_code == 404
    assert await tracks(ann, url) == "ab"


async def test_a_link_ends_by_itself(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient, world: World
) -> None:
    url = await new(ann, public=False)
    link = (await ann.post(f"{url}/invites", json={"role": "view", "days": 1})).json()
    world.clock.advance(DAY_MS)
    async with world.client(await world.accounts.by_name("bob")) as bob_later:
        answer = await bob_later.post(f"{url}/collaborators", json={"token": link["token"]})

    assert answer.status_code == 404


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "é.b.c", ".", "..", "x" * 5_000])
async def test_a_token_that_is_none_is_refused(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient, token: str
) -> None:
    url = await new(ann, public=False)
    playlist_id = url.rpartition("/")[2]

    for said in (token, f"{playlist_id}.{token}"):
        answer = await bob.post(f"{url}/collaborators", json={"token": said})
        assert answer.status_code == 404


async def joined(owner: httpx.AsyncClient, guest: httpx.AsyncClient, url: str, role: str) -> str:
    """Have a guest join by a new link, and tell its token."""
    link = (await owner.post(f"{url}/invites", json={"role": role})).json()
    answer = await guest.post(f"{url}/collaborators", json={"token": link["token"]})
    assert answer.status_code == 200
    return str(link["token"])


async def test_somebody_leaves_and_may_come_back(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    url = await new(ann, public=False)
    token = await joined(ann, bob, url, "edit")

    assert (await bob.delete(f"{url}/collaborators/{await me(bob)}")).status_code == 204

    assert (await bob.get(url)).status_code == 404
    assert (await bob.post(f"{url}/collaborators", json={"token": token})).status_code == 200


async def test_somebody_who_was_asked_to_leave_needs_another_link(
    world: World, ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    url = await new(ann, public=False)
    token = await joined(ann, bob, url, "edit")

    assert (await ann.delete(f"{url}/collaborators/{await me(bob)}")).status_code == 204

    assert (await bob.get(url)).status_code == 404
    assert (await bob.post(f"{url}/collaborators", json={"token": token})).status_code == 404
    world.clock.advance(1)
    await joined(ann, bob, url, "view")


async def test_a_collaborative_playlist_is_edited_by_whoever_may_see_it(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    url = await new(ann, public=False)
    link = (await ann.post(f"{url}/invites", json={"role": "view"})).json()
    await bob.post(f"{url}/collaborators", json={"token": link["token"]})
    assert (await bob.post(f"{url}/items", json=uris("a"))).status_code == 403

    await ann.put(url, json={"collaborative": True})

    assert (await bob.post(f"{url}/items", json=uris("a"))).status_code == 201


async def test_versions_tell_who_did_what(ann: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    url = await new(ann, "abc", public=False)
    link = (await ann.post(f"{url}/invites", json={"role": "edit"})).json()
    await bob.post(f"{url}/collaborators", json={"token": link["token"]})
    await bob.put(f"{url}/items", json={"range_start": 0, "insert_before": 3})
    await bob.request("DELETE", f"{url}/items", json={"items": [{"uri": uris("a")[0]}]})
    await ann.put(url, json={"name": "Other"})

    told = (await ann.get(f"{url}/versions")).json()

    assert told["total"] == 5
    assert [
        (each["by"]["display_name"], each["added"], each["removed"], each["moved"], each["details"])
        for each in told["items"]
    ] == [
        ("ann", 0, 0, 0, ["name"]),
        ("bob", 0, 1, 0, []),
        ("bob", 0, 0, 1, []),
        ("ann", 3, 0, 0, []),
        ("ann", 0, 0, 0, ["name", "public"]),
    ]
    page = (await ann.get(f"{url}/versions?limit=2&offset=1")).json()
    assert page["items"] == told["items"][1:3]
    assert (await ann.get(page["next"])).json()["items"] == told["items"][3:]


async def test_a_version_is_restored(ann: httpx.AsyncClient) -> None:
    url = await new(ann, "abc", description="first")
    seen = await snapshot(ann, url)
    await ann.put(f"{url}/items", json={"uris": uris("x")})
    await ann.put(url, json={"name": "Other", "description": "", "public": False})

    restored = await ann.post(f"{url}/restore", json={"snapshot_id": seen})

    shown = (await ann.get(url)).json()
    assert restored.json()["snapshot_id"] == shown["snapshot_id"] != seen
    assert await tracks(ann, url) == "abc"
    assert (shown["name"], shown["description"], shown["public"]) == ("Mix", "first", False)
    again = await ann.post(f"{url}/restore", json={"snapshot_id": seen})
    assert again.json()["snapshot_id"] == shown["snapshot_id"]


async def test_versions_older_than_ninety_days_are_not_told(world: World) -> None:
    account = await world.account("ann")
    async with world.client(account) as ann:
        url = await new(ann, "abc")
    world.clock.advance((HISTORY_DAYS + 1) * DAY_MS)
    async with world.client(account) as ann:
        await ann.post(f"{url}/items", json=uris("d"))

        told = (await ann.get(f"{url}/versions")).json()

    assert [each["added"] for each in told["items"]] == [1]
    assert told["next"] is None


async def test_a_cover_is_shown(ann: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    url, kind = await new(ann), {"Content-Type": "image/jpeg"}
    assert (await ann.get(f"{url}/images")).json() == []
    for image in (jpeg(640, 480), jpeg(300, 300)):
        content = base64.b64encode(image)
        assert (await ann.put(f"{url}/images", content=content, headers=kind)).status_code == 202

    (shown,) = (await ann.get(url)).json()["images"]
    assert (shown["width"], shown["height"]) == (300, 300)
    got = await httpx_without_token(bob).get(shown["url"])
    assert (got.content, got.headers["Content-Type"]) == (jpeg(300, 300), "image/jpeg")
    assert "immutable" in got.headers["Cache-Control"]
    assert (await ann.get(f"{url}/images")).json() == [shown]


def httpx_without_token(client: httpx.AsyncClient) -> httpx.AsyncClient:
    del client.headers["Authorization"]
    return client


@pytest.mark.parametrize("content", [b"", b"x", b"\x89PNG", b"!!!!", jpeg(0, 5), jpeg(20_000, 5)])
async def test_what_is_no_cover_is_refused(ann: httpx.AsyncClient, content: bytes) -> None:
    url = await new(ann)

    answer = await ann.put(f"{url}/images", content=content, headers={"Content-Type": "image/jpeg"})

    assert answer.status_code == 400
    assert (await ann.get(url)).json()["images"] == []


async def test_a_cover_is_not_too_large(ann: httpx.AsyncClient) -> None:
    url, kind = await new(ann), {"Content-Type": "image/jpeg"}

    answer = await ann.put(f"{url}/images", content=b"x" * (300 << 10), headers=kind)
    other = await ann.put(f"{url}/images", json="x")

    assert (answer.status_code, other.status_code) == (413, 415)


async def test_a_user_is_shown_without_what_is_nobodys_business(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    shown = (await bob.get(f"/v1/users/{await me(ann)}")).json()

    assert shown["display_name"] == "ann"
    assert not shown.keys() & {"name", "time_zone", "scopes"}
    assert (await bob.get("/v1/users/nobody")).status_code == 404
    assert (await bob.get("/v1/users/a b")).status_code == 404


async def test_an_account_takes_its_playlists_with_it(
    world: World, ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    url, theirs = await new(ann, "a"), await new(bob, "b", public=False)
    link = (await bob.post(f"{theirs}/invites", json={"role": "edit"})).json()
    await ann.post(f"{theirs}/collaborators", json={"token": link["token"]})
    await ann.post(f"{theirs}/items", json=uris("c"))

    assert (await ann.delete("/v1/me")).status_code == 204

    assert (await bob.get(url)).status_code == 404
    assert (await bob.get(f"{theirs}/collaborators")).json() == {"items": []}
    items = (await bob.get(f"{theirs}/items")).json()["items"]
    assert [item["added_by"]["display_name"] for item in items] == ["bob", None]


async def test_an_account_takes_what_it_follows_no_longer_with_it(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    url, theirs = await new(ann, "a"), await new(bob, "b", public=False)
    await joined(bob, ann, theirs, "edit")
    for each in (url, theirs):
        await ann.put(f"{each}/followers")
        await ann.delete(f"{each}/followers")

    assert (await ann.get("/v1/me/playlists")).json()["total"] == 2
    await ann.delete("/v1/me")

    assert (await bob.get(url)).status_code == 404
    assert (await bob.get(f"{theirs}/collaborators")).json() == {"items": []}


async def test_covers_that_come_together_leave_one_that_is_there(ann: httpx.AsyncClient) -> None:
    url, kind = await new(ann), {"Content-Type": "image/jpeg"}
    sizes = range(1, 9)
    puts = (ann.put(f"{url}/images", content=jpeg(n, 1), headers=kind) for n in sizes)
    await asyncio.gather(*puts)

    (shown,) = (await ann.get(f"{url}/images")).json()
    assert (await ann.get(shown["url"])).status_code == 200


async def test_a_request_that_is_sent_again_is_done_whatever_it_wanted_to_match(
    ann: httpx.AsyncClient,
) -> None:
    url = await new(ann, "abc")
    headers = {"Idempotency-Key": "k", "If-Match": (await ann.get(url)).headers["ETag"]}
    move = {"range_start": 0, "insert_before": 3}

    once, again = [await ann.put(f"{url}/items", json=move, headers=headers) for _ in range(2)]

    assert (once.status_code, again.status_code) == (200, 200)
    assert once.json() == again.json()
    assert await tracks(ann, url) == "bca"


async def test_several_versions_may_be_matched(ann: httpx.AsyncClient) -> None:
    url = await new(ann, "abc")
    tag = (await ann.get(url)).headers["ETag"]
    old = '"AAAA"'

    one = await ann.put(url, json={"name": "x"}, headers={"If-Match": f"{old}, {tag}"})
    two = await ann.put(url, json={"name": "y"}, headers={"If-Match": f"{old},{tag}"})
    three = await ann.delete(url, headers={"If-Match": tag})

    assert [each.status_code for each in (one, two, three)] == [200, 412, 412]


async def test_what_was_seen_and_what_must_be_present_are_two_questions(
    ann: httpx.AsyncClient,
) -> None:
    url = await new(ann, "abc")
    seen = await snapshot(ann, url)
    await ann.put(f"{url}/items", json={"range_start": 2, "insert_before": 0})
    move = {"range_start": 0, "insert_before": 2, "snapshot_id": seen}

    present = {"If-Match": f'"{await snapshot(ann, url)}"'}
    moved = await ann.put(f"{url}/items", json=move, headers=present)

    assert moved.status_code == 200
    assert await tracks(ann, url) == "acb"


@pytest.mark.parametrize("query", ["fields=zz(", "market=12345", "fields=a&fields=b"])
async def test_a_playlist_that_cannot_be_shown_is_not_made(
    ann: httpx.AsyncClient, query: str
) -> None:
    refused = await ann.post(f"/v1/me/playlists?{query}", json={"name": "Mix"})

    assert refused.status_code in {400, 422}
    assert (await ann.get("/v1/me/playlists")).json()["total"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("uris=heartline:track:a&position=x", "position"),
        ("uris=heartline:track:a&position=-1", "position"),
        ("uris=heartline:track:a&position=1&position=2", "position"),
        ("uris=heartline:track:a&uris=heartline:track:b", "uris"),
        ("uris=x", "uris[0]"),
        ("uris=", "uris"),
    ],
)
async def test_a_bad_query_is_blamed(ann: httpx.AsyncClient, query: str, field: str) -> None:
    url = await new(ann, "abc")

    answer = await ann.post(f"{url}/items?{query}")

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


async def test_the_end_of_the_versions_is_known_from_anywhere(ann: httpx.AsyncClient) -> None:
    url = await new(ann, "abc")

    told = (await ann.get(f"{url}/versions?offset=1000")).json()

    assert (told["items"], told["total"], told["next"]) == ([], 2, None)


async def test_a_label_sees_of_its_own_what_everybody_sees(world: World) -> None:
    account = await world.account("air", Scope.LISTENER, Scope.LABEL)
    async with world.client(account) as mine:
        await new(mine, public=False)
        assert (await mine.get(f"/v1/users/{account.listener_id}/playlists")).json()["total"] == 1
    async with world.client(account, Scope.LABEL) as label:
        told = await label.get(f"/v1/users/{account.listener_id}/playlists")
        assert told.json()["total"] == 0


async def test_playlists_are_followed_by_their_uris(
    ann: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    ids = [(await new(ann)).rpartition("/")[2] for _ in range(2)]
    uris = f"spotify:playlist:{ids[0]},heartline:playlist:{ids[1]}"

    assert (await bob.put(f"/v1/me/library?uris={uris}")).status_code == 200
    assert (await bob.get("/v1/me/playlists")).json()["total"] == 2
    await bob.delete(f"/v1/me/library?uris=spotify:playlist:{ids[0]}")
    assert (await bob.get(f"/v1/me/library/contains?uris={uris}")).json() == [False, True]


@pytest.mark.parametrize(
    ("uris", "field"),
    [("", "uris"), ("spotify:track:a", "uris[0]"), ("spotify:playlist:", "uris[0]")],
)
async def test_a_library_of_other_things_is_blamed(
    ann: httpx.AsyncClient, uris: str, field: str
) -> None:
    answer = await ann.put(f"/v1/me/library?uris={uris}")

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
