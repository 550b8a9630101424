from collections.abc import Iterable, Mapping
from typing import Any

import httpx
import pytest

from domain.catalogue import Album, AlbumType, Artist, EntityKind, Removed, Track
from serve.catalogue import newest_first
from stores.catalogue_rows import Held
from tests.serve.world import HOST, World

AIR, BECK, ZERO = Artist("a1", "Air", popularity=70), Artist("a2", "Beck"), Artist("a3", "Zero 7")
LEGEND = Album("l1", "10 000 Hz Legend", ("a1",), released="2001-05-28", markets=("DE", "FR"))
SAFARI = Album("l2", "Moon Safari", ("a1",), released="1998")
SINGLE = Album("l3", "Sexy Boy", ("a1",), type=AlbumType.SINGLE, released="1998-02")
HITS = Album("l4", "Hits of 1998", ("a3",), type=AlbumType.COMPILATION)
VAGABOND = Track("t1", "The Vagabond", ("a1", "a2"), album="l1", track_number=4, popularity=40)
BOY = Track("t2", "Sexy Boy", ("a1",), album="l2", track_number=2, popularity=60)
FEMME = Track("t3", "La femme d'argent", ("a1",), album="l2", track_number=1, markets=("US",))
KELLY = Track("t4", "Kelly Watch the Stars", ("a1",), album="l4", popularity=60)
LOOSE = Track("t5", "Loser", ("a2",))
EVERYTHING = (
    AIR, BECK, ZERO, LEGEND, SAFARI, SINGLE, HITS, VAGABOND, BOY, FEMME, KELLY, LOOSE,
)  # fmt: skip


@pytest.fixture
async def shelves(world: World) -> World:
    await world.describe(*EVERYTHING)
    return world


async def ask(world: World, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    account = await world.accounts.by_name("ada") or await world.account()
    async with world.client(account, "none") as client:
        return await client.get(path, headers=headers)


async def read(world: World, path: str) -> Any:
    answer = await ask(world, path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_track_is_read_with_its_album_and_its_artists(shelves: World) -> None:
    track = await read(shelves, "/v1/tracks/t1")

    assert (track["id"], track["name"], track["type"]) == ("t1", "The Vagabond", "track")
    assert [artist["name"] for artist in track["artists"]] == ["Air", "Beck"]
    assert (track["album"]["name"], track["album"]["total_tracks"]) == ("10 000 Hz Legend", 1)
    assert track["href"] == f"{HOST}/v1/tracks/t1"
    assert track["available_markets"] == ["DE", "FR"]


async def test_a_track_of_no_album_has_one_without_an_id(shelves: World) -> None:
    album = (await read(shelves, "/v1/tracks/t5"))["album"]

    assert (album["id"], album["name"], album["total_tracks"]) == (None, "", 0)


async def test_several_are_read_in_the_order_of_their_ids(shelves: World) -> None:
    tracks = await read(shelves, "/v1/tracks?ids=t2,none,t1,t2")
    albums = await read(shelves, "/v1/albums?ids=none,l2")
    artists = await read(shelves, "/v1/artists/?ids=a2,a1,t1")

    assert [track and track["id"] for track in tracks["tracks"]] == ["t2", None, "t1", "t2"]
    assert [album and album["id"] for album in albums["albums"]] == [None, "l2"]
    assert [artist and artist["id"] for artist in artists["artists"]] == ["a2", "a1", None]


async def test_an_album_is_read_with_its_tracks_in_their_order(shelves: World) -> None:
    album = await read(shelves, "/v1/albums/l2")

    assert (album["release_date"], album["release_date_precision"]) == ("1998", "year")
    assert (album["total_tracks"], album["tracks"]["total"]) == (2, 2)
    assert [track["id"] for track in album["tracks"]["items"]] == ["t3", "t2"]
    assert "album" not in album["tracks"]["items"][0]


async def test_tracks_of_an_album_come_in_pages(shelves: World) -> None:
    first = await read(shelves, "/v1/albums/l2/tracks?limit=1&market=US")
    second = await read(shelves, first["next"])

    assert [track["id"] for track in first["items"] + second["items"]] == ["t3", "t2"]
    assert [track["is_playable"] for track in first["items"] + second["items"]] == [True, True]
    assert (second["next"], second["previous"], second["total"]) == (None, first["href"], 2)


async def test_of_a_long_album_only_what_is_shown_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = [Track(f"t{number:04}", "T", ("a1",), album="l2") for number in range(2_100)]
    await world.describe(AIR, SAFARI, *tracks)
    held, asked = world.catalogue.held, []

    async def noting(kind: EntityKind, ids: Iterable[str]) -> dict[str, Held]:
        found = await held(kind, ids)
        asked.append(len(found))
        return found

    monkeypatch.setattr(world.catalogue, "held", noting)
    first = (await read(world, "/v1/albums?ids=l2"))["albums"][0]
    last = await read(world, "/v1/albums/l2/tracks?offset=2090&limit=20")

    assert max(asked) == len(first["tracks"]["items"]) == 50
    assert (first["total_tracks"], first["tracks"]["total"], last["total"]) == (2_100,) * 3
    assert [track["id"] for track in last["items"]] == [track.id for track in tracks[2_090:]]


async def test_links_stay_on_the_host_that_the_client_used(shelves: World) -> None:
    headers = {"Host": "listen.example.org"}
    page = (await ask(shelves, "/v1/albums/l2/tracks/?limit=1", headers)).json()

    assert page["next"] == "http://listen.example.org/v1/albums/l2/tracks?limit=1&offset=1"
    assert page["items"][0]["href"] == "http://listen.example.org/v1/tracks/t3"


async def test_albums_of_an_artist_come_by_group_and_the_newest_first(shelves: World) -> None:
    page = await read(shelves, "/v1/artists/a1/albums")

    assert [(one["id"], one["album_group"]) for one in page["items"]] == [
        ("l1", "album"),
        ("l2", "album"),
        ("l3", "single"),
        ("l4", "appears_on"),
    ]
    assert page["total"] == 4


@pytest.mark.parametrize(
    ("query", "albums"),
    [
        ("include_groups=single", ["l3"]),
        ("include_groups=appears_on,single", ["l3", "l4"]),
        ("include_groups=compilation", []),
        ("market=US", ["l2", "l3", "l4"]),
        ("market=de", ["l1", "l2", "l3", "l4"]),
        ("market=from_token&limit=1&offset=1", ["l2"]),
        ("country=US", ["l2", "l3", "l4"]),
    ],
)
async def test_albums_of_an_artist_are_those_asked_for(
    shelves: World, query: str, albums: list[str]
) -> None:
    page = await read(shelves, f"/v1/artists/a1/albums?{query}")

    assert [album["id"] for album in page["items"]] == albums


async def test_top_tracks_are_the_popular_and_of_those_the_most_played(shelves: World) -> None:
    shelves.listening.counted = {"t4": 9, "t2": 3, "t1": 1_000}

    top = await read(shelves, "/v1/artists/a1/top-tracks")
    in_france = await read(shelves, "/v1/artists/a1/top-tracks?market=FR")

    assert [track["id"] for track in top["tracks"]] == ["t4", "t2", "t1", "t3"]
    assert [track["id"] for track in in_france["tracks"]] == ["t4", "t2", "t1"]


async def test_plays_decide_among_all_that_are_equally_popular(world: World) -> None:
    tracks = [Track(f"t{at:03}", f"Title {at}", ("a1",)) for at in range(213)]
    await world.describe(AIR, *tracks)
    world.listening.counted = {"t212": 5}

    top = (await read(world, "/v1/artists/a1/top-tracks"))["tracks"]

    assert top[0]["id"] == "t212"


async def test_ten_top_tracks_are_enough(world: World) -> None:
    tracks = [Track(f"t{number}", "T", ("a1",), popularity=number) for number in range(30)]
    await world.describe(AIR, *tracks)

    top = (await read(world, "/v1/artists/a1/top-tracks"))["tracks"]

    assert [track["popularity"] for track in top] == list(range(29, 19, -1))


async def test_what_cannot_be_played_in_a_market_says_so(shelves: World) -> None:
    track = await read(shelves, "/v1/tracks/t3?market=DE")
    album = await read(shelves, "/v1/albums/l1?market=US")

    assert (track["is_playable"], track["restrictions"]) == (False, {"reason": "market"})
    assert (album["is_playable"], album["restrictions"]) == (False, {"reason": "market"})
    assert "available_markets" not in track


@pytest.mark.parametrize(
    "path",
    [
        "tracks/none", "albums/none", "albums/none/tracks", "artists/none", "artists/none/albums",
        "artists/none/top-tracks", "tracks/a1", "artists/t1", "albums/%00", "tracks/" + "x" * 2_000,
    ],
)  # fmt: skip
async def test_what_is_not_there_is_404(shelves: World, path: str) -> None:
    answer = await ask(shelves, f"/v1/{path}")

    assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "not_found")


async def test_what_was_removed_is_not_there(shelves: World) -> None:
    await shelves.describe(Removed(EntityKind.TRACK, "t3"))

    assert (await ask(shelves, "/v1/tracks/t3")).status_code == 404
    album = await read(shelves, "/v1/albums/l2")
    assert (album["total_tracks"], [one["id"] for one in album["tracks"]["items"]]) == (1, ["t2"])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("tracks", "ids"),
        ("tracks?ids=", "ids"),
        ("tracks?ids=t1,", "ids"),
        ("albums?ids=" + "x," * 50 + "x", "ids"),
        ("artists?ids=a&ids=b", "ids"),
        ("tracks/t1?market=ZZ", "market"),
        ("tracks/t1?market=", "market"),
        ("albums/l1?market=Germany", "market"),
        ("albums/l1/tracks?limit=0", "limit"),
        ("albums/l1/tracks?limit=51", "limit"),
        ("albums/l1/tracks?offset=-1", "offset"),
        ("artists/a1/albums?offset=100001", "offset"),
        ("artists/a1/albums?include_groups=ep", "include_groups"),
        ("artists/a1/albums?include_groups=", "include_groups"),
    ],
    ids=lambda text: text[:40],
)
async def test_a_wrong_parameter_is_named(shelves: World, path: str, field: str) -> None:
    answer = await ask(shelves, f"/v1/{path}")

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


async def test_who_has_it_already_is_not_sent_it_again(shelves: World) -> None:
    first = await ask(shelves, "/v1/tracks/t1")
    again = await ask(
        shelves, "/v1/tracks/t1", {"If-None-Match": f'"x", W/{first.headers["ETag"]}'}
    )
    await shelves.describe(Album("l1", "Renamed", ("a1",)))
    changed = await ask(shelves, "/v1/tracks/t1", {"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert changed.status_code == 200


def test_albums_of_a_group_are_ordered_by_date_and_then_by_name() -> None:
    albums = [
        Album("1", "B", (), released="1998"),
        Album("2", "A", (), released="1998"),
        Album("3", "C", (), released="1998-04"),
        Album("4", "D", ()),
    ]
    ordered = newest_first([(album, "album") for album in albums])

    assert [album.id for album, _ in ordered] == ["3", "2", "1", "4"]
