"""Listeners who share playlists, in a browser and over HTTP, at a Heartline that is real but for Ray."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from stores.accounts import Scope
from tests.end_to_end.page_steps import Site
from tests.serve.whole import Whole, serving

PASSWORD = "correct horse"
ARTISTS = {"nina": "Nina Simone", "miles": "Miles Davis"}
ALBUMS = {"blues": ("Pastel Blues", "nina"), "kind": ("Kind of Blue", "miles")}
TRACKS = {
    "sin": ("Sinnerman", "blues", 620_000),
    "strange": ("Strange Fruit", "blues", 210_000),
    "trouble": ("Trouble in Mind", "blues", 162_000),
    "sowhat": ("So What", "kind", 562_000),
    "freddie": ("Freddie Freeloader", "kind", 586_000),
    "green": ("Blue in Green", "kind", 337_000),
}
NUMBERED = 120  # tracks that are called by a number


@dataclass
class Listener:
    """Somebody with an account, who also has another client than the page."""

    site: Site
    client: httpx.Client

    def make(self, name: str, *tracks: str, public: bool = False, description: str = "") -> str:
        """Make a playlist of *tracks*, one edit for each."""
        details = {"name": name, "public": public, "description": description}
        playlist_id: str = self._ask("POST", "/v1/me/playlists", details)["id"]
        for track in tracks:
            self.add(playlist_id, track)
        return playlist_id

    def add(self, playlist_id: str, *tracks: str, position: int | None = None) -> None:
        """Add tracks in one edit, at the end or at *position*."""
        uris = [f"heartline:track:{track}" for track in tracks]
        where = {} if position is None else {"position": position}
        self._ask("POST", f"/v1/playlists/{playlist_id}/items", {"uris": uris} | where)

    def remove(self, playlist_id: str, track: str) -> None:
        """Remove a track everywhere."""
        items = [{"uri": f"heartline:track:{track}"}]
        self._ask("DELETE", f"/v1/playlists/{playlist_id}/items", {"items": items})

    def move(self, playlist_id: str, start: int, before: int) -> None:
        """Move the item at *start* to before the one at *before*."""
        move = {"range_start": start, "insert_before": before}
        self._ask("PUT", f"/v1/playlists/{playlist_id}/items", move)

    def delete(self, playlist_id: str) -> None:
        """Delete a playlist."""
        self._ask("DELETE", f"/v1/playlists/{playlist_id}")

    def invite(self, playlist_id: str, role: str = "edit") -> str:
        """Make an invitation's link."""
        url: str = self._ask("POST", f"/v1/playlists/{playlist_id}/invites", {"role": role})["url"]
        return url

    def join(self, url: str) -> None:
        """Join by an invitation's link."""
        token = url.rpartition("/")[2]
        path = f"/v1/playlists/{token.partition('.')[0]}/collaborators"
        self._ask("POST", path, {"token": token})

    def tracks(self, playlist_id: str) -> list[str]:
        """Tell the tracks that a playlist has, in order."""
        items = self.read(playlist_id)["items"]["items"]
        return [item["track"]["id"] for item in items]

    def read(self, playlist_id: str) -> dict[str, Any]:
        """Read a playlist."""
        return self._ask("GET", f"/v1/playlists/{playlist_id}")

    def collaborators(self, playlist_id: str) -> list[str]:
        """Tell who has joined."""
        told = self._ask("GET", f"/v1/playlists/{playlist_id}/collaborators")["items"]
        return [each["user"]["display_name"] for each in told]

    def playlists(self) -> list[str]:
        """Tell the names of one's playlists."""
        return [each["name"] for each in self._ask("GET", "/v1/me/playlists")["items"]]

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.client.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return dict(answer.json()) if answer.content else {}


@dataclass
class Heartline:
    """A Heartline with a small catalogue, where anybody may have an account."""

    whole: Whole
    clients: list[httpx.Client] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def listener(self, name: str = "ada") -> Listener:
        """Make an account that nobody else has; it is shown as *name* and a number."""
        name = f"{name}{next(self.numbers)}"
        self.whole.new_account(name, PASSWORD, Scope.LISTENER)
        client = self.client()
        login = {"grant_type": "password", "username": name, "password": PASSWORD}
        token = client.post("/v1/token", data=login).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return Listener(Site(f"{self.whole.url}/", name, PASSWORD), client)

    def client(self) -> httpx.Client:
        """Make a client, which is closed in the end."""
        client = httpx.Client(base_url=self.whole.url, trust_env=False, timeout=30)
        self.clients.append(client)
        return client

    def write(self, kind: str, *entities: dict[str, Any]) -> None:
        """Put entities into the catalogue."""
        headers = {
            "Authorization": f"Bearer {self.whole.new_token()}",
            "Content-Type": "application/x-ndjson",
        }
        lines = "\n".join(json.dumps(entity) for entity in entities)
        answer = self.client().post(f"/v1/catalogue/{kind}s", content=lines, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["rejected"] == [], answer.text


@contextmanager
def heartline(directory: Path) -> Iterator[Heartline]:
    """Start one, with its catalogue."""
    with serving(directory) as whole:
        made = Heartline(whole)
        made.write("artist", *({"id": each, "name": name} for each, name in ARTISTS.items()))
        albums = ALBUMS.items()
        made.write(
            "album",
            *({"id": each, "name": name, "artists": [by]} for each, (name, by) in albums),
        )
        made.write("track", *_tracks())
        try:
            yield made
        finally:
            for client in made.clients:
                client.close()


def _tracks() -> Iterator[dict[str, Any]]:
    for each, (name, album, length) in TRACKS.items():
        yield {
            "id": each,
            "name": name,
            "album": album,
            "artists": [ALBUMS[album][1]],
            "duration_ms": length,
        }
    for number in range(NUMBERED):
        yield {"id": f"n{number}", "name": f"Number {number}", "artists": ["miles"]}
