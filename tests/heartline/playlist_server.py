"""A small server of playlists and search, over real HTTP, that stands in for a running `up`."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from domain.queries import parse
from domain.words import words
from heartline import wiring
from heartline.supervisor import data_locked, running_file

Json = dict[str, Any]
Answer = tuple[int, Json]

FIRST_PAGE = 3  # items that come with a playlist


def track_object(track_id: str, name: str, *artists: str, isrc: str = "", album: str = "") -> Json:
    return {
        "id": track_id,
        "uri": f"heartline:track:{track_id}",
        "name": name,
        "artists": [{"name": artist} for artist in artists],
        "album": {"name": album},
        "duration_ms": 200_000,
        "external_ids": {"isrc": isrc or None},
        "track_number": 1,
    }


@dataclass
class PlaylistServer:
    """Playlists in memory; who asks is read of real tokens."""

    data: Path
    catalogue: list[Json] = field(default_factory=list)
    playlists: dict[str, Json] = field(default_factory=dict)
    items: dict[str, list[Json]] = field(default_factory=dict)
    most_items: int = 10_000
    unknown: set[str] = field(default_factory=set)  # uris that are refused
    on_page: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)
    callers: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def make(self, name: str, owner: str = "ann-id", **details: Any) -> str:
        playlist_id = f"playlist{len(self.playlists)}"
        self.playlists[playlist_id] = {
            "id": playlist_id,
            "name": name,
            "description": "",
            "owner": {"id": owner, "display_name": "Ann"},
            "public": False,
            "collaborative": False,
            "followers": {"total": 2},
            "images": [],
            "uri": f"heartline:playlist:{playlist_id}",
            **details,
        }
        self.items[playlist_id] = []
        return playlist_id

    def add(self, playlist_id: str, *tracks: Json | None, by: str = "ann-id") -> None:
        self.items[playlist_id] += [
            {
                "added_at": "2026-11-21T10:00:00Z",
                "added_by": {"id": by},
                "is_local": False,
                "track": track,
            }
            for track in tracks
        ]

    def uris(self, playlist_id: str) -> list[str]:
        return [item["track"]["uri"] for item in self.items[playlist_id]]

    def answer(self, method: str, url: str, body: Json) -> Answer:
        parts = urlsplit(url)
        said = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append(f"{method} {parts.path}")
        match method, [unquote(part) for part in parts.path.split("/")[2:]]:
            case "GET", ["search"]:
                return 200, {"tracks": {"items": self._search(said["q"])[: int(said["limit"])]}}
            case "POST", ["me", "playlists"]:
                return 201, self._shown(self.make(body.pop("name"), **body))
            case "GET", ["playlists", playlist_id] if playlist_id in self.playlists:
                return 200, self._shown(playlist_id)
            case "GET", ["playlists", playlist_id, "items"] if playlist_id in self.playlists:
                self.on_page()
                return 200, self._page(playlist_id, int(said["offset"]), int(said["limit"]))
            case "POST", ["playlists", playlist_id, "items"] if playlist_id in self.playlists:
                return self._add(playlist_id, body["uris"])
        return _refusal(404, "there is no such playlist")

    def _search(self, text: str) -> list[Json]:
        query = parse(text)
        return [
            track
            for track in self.catalogue
            if (not query.isrc or track["external_ids"]["isrc"] == query.isrc)
            and set(query.track) <= set(words(track["name"]))
            and set(query.artist) <= {w for each in track["artists"] for w in words(each["name"])}
        ]

    def _shown(self, playlist_id: str) -> Json:
        page = self._page(playlist_id, 0, FIRST_PAGE)
        snapshot = f"{len(self.items[playlist_id])}"
        told = self.playlists[playlist_id]
        return {**told, "snapshot_id": snapshot, "items": page, "tracks": page}

    def _page(self, playlist_id: str, offset: int, limit: int) -> Json:
        items = self.items[playlist_id]
        shown = items[offset : offset + limit]
        return {"items": shown, "offset": offset, "limit": limit, "total": len(items)}

    def _add(self, playlist_id: str, uris: list[str]) -> Answer:
        if len(uris) > 100 or (place := self._unknown(uris)) is not None:
            return _refusal(422, "there is no such track", f"uris[{place}]")
        if len(self.items[playlist_id]) + len(uris) > self.most_items:
            return _refusal(403, "the playlist is full")
        known = {track["uri"]: track for track in self.catalogue}
        added = [known.get(uri) or track_object(uri.rpartition(":")[2], uri) for uri in uris]
        self.add(playlist_id, *added)
        return 201, {"snapshot_id": "2"}

    def _unknown(self, uris: list[str]) -> int | None:
        return next((place for place, uri in enumerate(uris) if uri in self.unknown), None)


def _refusal(status: int, message: str, blamed: str = "") -> Answer:
    error = {"status": status, "message": message, "reason": "x"}
    return status, {"error": {**error, "field": blamed} if blamed else error}


def _handler(server: PlaylistServer) -> type[BaseHTTPRequestHandler]:
    tokens = wiring.tokens(server.data)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            claims = tokens.read(self.headers["authorization"].removeprefix("Bearer "))
            server.callers.append((claims.listener_id, tuple(sorted(claims.scopes))))
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else {}
            status, document = server.answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def do_POST(self) -> None:
            server.keys.append(self.headers["idempotency-key"])
            self.do_GET()

        def log_message(self, *_said: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def served(server: PlaylistServer) -> Iterator[None]:
    """Let commands on the server's data directory find it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(server)) as http, data_locked(server.data):
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{http.server_port}"
        running_file(server.data).write_text(json.dumps({"pid": 0, "url": url}))
        try:
            yield
        finally:
            http.shutdown()
            thread.join()
