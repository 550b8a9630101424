"""Load while parts are killed: clients that send each request until they know what became of it."""

import random
import time
from threading import Event, Thread
from typing import Any, Self

import httpx

from tests.end_to_end.chaos.instance import new_listener
from tests.end_to_end.chaos.ledger import Ledger
from tests.end_to_end.chaos.walk import BEGINS_AGO_MS, Walk

PATIENCE_S = 5.0  # of a client, for one answer
AGAIN_S = 0.1
REST_S = 0.05  # between two requests of a gateway
DRAIN_S = 90.0
LISTENERS = 25  # of one gateway at a time
UNSURE = frozenset({408, 425, 429, 500, 502, 503, 504})


def now_ms() -> int:
    """Tell the time as clients see it."""
    return time.time_ns() // 1_000_000


class Poster(Thread):
    """A gateway with listeners of its own; one request at a time."""

    def __init__(self, url: str, token: str, ledger: Ledger, stop: Event, seed: int) -> None:
        super().__init__(daemon=True, name=f"poster-{seed}")
        self._client = _client(url, token)
        self._ledger, self._enough, self._rng = ledger, stop, random.Random(seed)
        self._walks = [self._new_walk() for _ in range(LISTENERS)]
        self.failure: Exception | None = None

    def run(self) -> None:
        """Post until told to stop and the last answer is there."""
        try:
            with self._client:
                while not self._enough.is_set():
                    self._post(*self._request())
                    self._enough.wait(REST_S)
        except Exception as error:
            self.failure = error
            raise

    def _request(self) -> tuple[list[dict[str, Any]], frozenset[str]]:
        now, items, bad = now_ms(), [], set()
        for place in self._rng.sample(range(LISTENERS), 8):
            walk = self._walks[place]
            made = list(walk.items(self._rng.randint(1, 6), now))
            if not made:
                self._walks[place] = self._new_walk()
            if self._rng.random() < 0.1:
                spoilt = walk.bad(now)
                bad.add(spoilt["id"])
                made.append(spoilt)
            if self._rng.random() < 0.1:
                self._rng.shuffle(made)
            if made and self._rng.random() < 0.1:
                made.append(made[0])  # the same once more
            items += made
        return items, frozenset(bad)

    def _post(self, items: list[dict[str, Any]], bad: frozenset[str]) -> None:
        while items:
            try:
                answer = self._client.post("/v1/heartbeats", json={"heartbeats": items})
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 202:
                self._ledger.answered(items, answer.json()["rejected"], bad)
                return
            if answer is not None and answer.status_code not in UNSURE:
                self._ledger.refuse(items, answer.status_code)
                return
            self._ledger.retry()
            time.sleep(AGAIN_S)

    def _new_walk(self) -> Walk:
        rng = random.Random(self._rng.random())
        return Walk(new_listener(), rng, now_ms() - BEGINS_AGO_MS + rng.randrange(60_000))


class Load:
    """Several posters at once, as a context."""

    def __init__(self, url: str, token: str, ledger: Ledger, *, posters: int, seed: int) -> None:
        self._stop = Event()
        self._posters = [
            Poster(url, token, ledger, self._stop, seed + number) for number in range(posters)
        ]

    def __enter__(self) -> Self:
        for poster in self._posters:
            poster.start()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Stop, and wait until every request that was sent has an answer."""
        self._stop.set()
        for poster in self._posters if failed is None else ():
            poster.join(DRAIN_S)
            assert not poster.is_alive(), "a request was never answered"
            assert poster.failure is None, poster.failure


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=PATIENCE_S
    )
