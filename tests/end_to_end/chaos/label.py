"""A label that uploads while parts are killed: each track is sent until it is taken, or was before."""

import time
from threading import Event, Thread
from typing import Self

import httpx

from tests.end_to_end.chaos.instance import Instance, new_listener
from tests.end_to_end.chaos.load import AGAIN_S, DRAIN_S, PATIENCE_S, UNSURE
from tests.end_to_end.chaos.verdict import APPLIED_S

ARTIST = "newcomer"
REST_S = 0.2
ASKED_TOGETHER = 50


class Label:
    """Uploads tracks for as long as it is a context; afterwards they can be asked for."""

    def __init__(self, instance: Instance, token: str) -> None:
        self._instance, self._headers = instance, {"authorization": f"Bearer {token}"}
        self._enough = Event()
        self._thread = Thread(target=self._run, daemon=True, name="label")
        self._failure: Exception | None = None
        self.taken: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Stop, and wait until the last upload has an answer."""
        self._enough.set()
        if failed is None:
            self._thread.join(DRAIN_S)
            assert not self._thread.is_alive(), "an upload was never answered"
            assert self._failure is None, self._failure

    def check(self) -> None:
        """See that every track that was taken can be read, and that the search index has just these.

        Raises
        ------
        AssertionError
            One is missing, or the index differs from the catalogue.
        """
        end_s = time.monotonic() + APPLIED_S
        with self._client() as client:
            while missing := set(self.taken) - self._readable(client):
                assert time.monotonic() < end_s, f"{len(missing)} uploads cannot be read"
                time.sleep(AGAIN_S)
        told = self._instance.command("search", "check", statuses=(0, 1))
        assert told["differences"] == []

    def _run(self) -> None:
        try:
            with self._client() as client:
                self._put(client, f"artists/{ARTIST}", {"name": "A Newcomer"})
                while not self._enough.wait(REST_S):
                    track_id = new_listener()
                    track = {"name": f"Song {track_id}", "duration_ms": 1_000, "artists": [ARTIST]}
                    self._put(client, f"tracks/{track_id}", track)
                    self.taken.append(track_id)
        except Exception as error:
            self._failure = error
            raise

    def _put(self, client: httpx.Client, path: str, item: dict[str, object]) -> None:
        while True:
            try:
                answer = client.put(f"/v1/catalogue/{path}", json=item)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code not in UNSURE:
                answer.raise_for_status()
                return
            time.sleep(AGAIN_S)

    def _readable(self, client: httpx.Client) -> set[str]:
        found = set()
        for begin in range(0, len(self.taken), ASKED_TOGETHER):
            ids = ",".join(self.taken[begin : begin + ASKED_TOGETHER])
            answer = client.get("/v1/tracks", params={"ids": ids}).raise_for_status()
            found |= {track["id"] for track in answer.json()["tracks"] if track}
        return found

    def _client(self) -> httpx.Client:
        url = self._instance.url
        return httpx.Client(base_url=url, headers=self._headers, timeout=PATIENCE_S)
