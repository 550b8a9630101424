"""Who may do what with a playlist that is there: every endpoint, for everybody who might try."""

from typing import Any, NamedTuple

import httpx
import pytest

from serve.playlist_endpoints import ENDPOINTS
from stores.accounts import Account, Scope
from tests.domain.test_jpeg import jpeg
from tests.serve.world import World

WHO = ("owner", "editor", "viewer", "operator", "stranger")
TRACK = "heartline:track:t"


class Row(NamedTuple):
    """The status for everybody: of a private playlist, and for a stranger of a public one."""

    owner: int
    editor: int
    viewer: int
    operator: int
    stranger: int
    public: int
    body: Any = None


def seen(right: int = 200, body: Any = None) -> Row:
    """Whoever may see it."""
    return Row(right, right, right, right, 404, right, body)


def listened(right: int = 200, body: Any = None) -> Row:
    """As `seen`, but for listeners."""
    return Row(right, right, right, 403, 404, right, body)


def edited(right: int, body: Any) -> Row:
    """Whoever may edit it."""
    return Row(right, right, 403, 403, 404, 403, body)


def owned(right: int, body: Any = None) -> Row:
    """Only its owner."""
    return Row(right, 403, 403, 403, 404, 403, body)


TABLE = {
    "GET /v1/playlists/{id}": seen(),
    "PUT /v1/playlists/{id}": owned(200, {"name": "Other"}),
    "DELETE /v1/playlists/{id}": owned(204),
    **{
        f"{method} /v1/playlists/{{id}}/{name}": row
        for name in ("items", "tracks")
        for method, row in {
            "GET": seen(),
            "POST": edited(201, {"uris": [TRACK]}),
            "PUT": edited(200, {"uris": [TRACK]}),
            "DELETE": edited(200, {"items": [{"uri": TRACK}]}),
        }.items()
    },
    "POST /v1/playlists/{id}/restore": owned(200, {"snapshot_id": "SNAPSHOT"}),
    "PUT /v1/playlists/{id}/followers": listened(),
    "DELETE /v1/playlists/{id}/followers": Row(200, 200, 200, 403, 200, 200),
    "GET /v1/playlists/{id}/followers/contains": listened(),
    "POST /v1/playlists/{id}/invites": owned(201, {"role": "view"}),
    "GET /v1/playlists/{id}/invites": owned(200),
    "DELETE /v1/playlists/{id}/invites/{invite}": owned(204),
    # Whoever has the link may, whatever they could before.
    "POST /v1/playlists/{id}/collaborators": Row(200, 200, 200, 403, 200, 200, {"token": "TOKEN"}),
    "GET /v1/playlists/{id}/collaborators": seen(),
    "DELETE /v1/playlists/{id}/collaborators/{user_id}": owned(204),
    "GET /v1/playlists/{id}/images": seen(),
    "PUT /v1/playlists/{id}/images": owned(202, jpeg(1, 1)),
    "GET /v1/playlists/{id}/images/{name}": Row(200, 200, 200, 200, 200, 200),
    "GET /v1/playlists/{id}/versions": seen(),
}


class Scene(NamedTuple):
    """A playlist with a member of each kind, and what its URLs need."""

    id: str
    accounts: dict[str, Account]
    snapshot: str
    token: str
    invite: str
    cover: str


async def scene(world: World, *, public: bool) -> Scene:
    accounts = {name: await world.account(name) for name in WHO if name != "operator"}
    accounts["operator"] = await world.account("operator", Scope.OPERATOR)
    tokens: dict[str, dict[str, str]] = {}
    async with world.client(accounts["owner"]) as owner:
        made = await owner.post("/v1/me/playlists", json={"name": "Mix", "public": public})
        url = f"/v1/playlists/{made.json()['id']}"
        for name, role in (("editor", "edit"), ("viewer", "view")):
            tokens[name] = (await owner.post(f"{url}/invites", json={"role": role})).json()
            async with world.client(accounts[name]) as guest:
                await guest.post(f"{url}/collaborators", json={"token": tokens[name]["token"]})
        added = await owner.post(f"{url}/items", json=[TRACK])
        await owner.put(f"{url}/images", content=jpeg(1, 1), headers={"Content-Type": "image/jpeg"})
        cover = (await owner.get(f"{url}/images")).json()[0]["url"].rpartition("/")[2]
    link = tokens["viewer"]
    return Scene(
        made.json()["id"], accounts, added.json()["snapshot_id"], link["token"], link["id"], cover
    )


async def status(world: World, at: Scene, name: str, who: str, body: Any) -> int:
    method, path = name.split(" ")
    path = path.replace("{id}", at.id).replace("{invite}", at.invite).replace("{name}", at.cover)
    path = path.replace("{user_id}", at.accounts["viewer"].listener_id)
    if isinstance(body, dict):
        said = {"SNAPSHOT": at.snapshot, "TOKEN": at.token}
        body = {
            key: said.get(value, value) if isinstance(value, str) else value
            for key, value in body.items()
        }
    how: dict[str, Any] = {"json": body} if body else {}
    if isinstance(body, bytes):
        how = {"content": body, "headers": {"Content-Type": "image/jpeg"}}
    async with world.client(at.accounts[who]) as client:
        answer: httpx.Response = await client.request(method, path, **how)
    return answer.status_code


def test_every_endpoint_of_a_playlist_has_a_row() -> None:
    described = {f"{one.method} {one.path}" for one in ENDPOINTS if "{id}" in one.path}

    assert set(TABLE) == described


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("name", TABLE)
async def test_who_may_do_what_with_a_private_playlist(world: World, name: str, who: str) -> None:
    at = await scene(world, public=False)
    expected = getattr(TABLE[name], who)
    if name.startswith("DELETE") and name.endswith("{user_id}") and who == "viewer":
        expected = 204  # everybody may leave

    assert await status(world, at, name, who, TABLE[name].body) == expected


@pytest.mark.parametrize("name", TABLE)
async def test_what_a_stranger_may_do_with_a_public_playlist(world: World, name: str) -> None:
    at = await scene(world, public=True)

    assert await status(world, at, name, "stranger", TABLE[name].body) == TABLE[name].public
