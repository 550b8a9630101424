"""Load whose every request can be told in the sum: each is 30 s of listening that nothing joins."""

import time
from threading import Event, Thread

import httpx

from tests.end_to_end.running import listened_ms

REQUEST_MS = 30_000
SLOT_MS = 100_000  # from one request to the next; gaps of 70 s are not listened
BEGAN_AGO_MS = 7 * 86_400_000
MOST_REQUESTS = BEGAN_AGO_MS // SLOT_MS
REST_S = 0.03


class NumberedLoad(Thread):
    """Posts one request after another for one listener, and keeps what was not acknowledged."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(daemon=True)
        self._client, self._enough = client, Event()
        self._base = time.time_ns() // 1_000_000 - BEGAN_AGO_MS
        self.sent = self.acknowledged = 0
        self.refused: list[int] = []
        self.answers: list[httpx.Response] = []  # the refusals
        self.failure: Exception | None = None

    def run(self) -> None:
        """Post until told to stop."""
        try:
            while not self._enough.wait(REST_S) and self.sent < MOST_REQUESTS:
                self.post(self.sent)
                self.sent += 1
        except Exception as error:
            self.failure = error
            raise

    def post(self, number: int) -> bool:
        """Post a request; tells whether it was acknowledged."""
        at = self._base + number * SLOT_MS
        items = [
            {"id": f"{number}-{end}", "track_id": "t", "play_id": "p", "kind": "beat", "at": end}
            for end in (at, at + REQUEST_MS)
        ]
        answer = self._client.post("/v1/heartbeats", json={"heartbeats": items})
        if answer.status_code == 202:
            assert answer.json() == {"accepted": 2, "rejected": []}
            self.acknowledged += 1
            return True
        self.refused.append(number)
        self.answers.append(answer)
        return False

    def finish(self) -> None:
        """Stop, and send again what was not acknowledged, as a client does."""
        self._enough.set()
        self.join()
        assert self.failure is None
        again, self.refused = self.refused, []
        assert all(self.post(number) for number in again)

    @property
    def listened_ms(self) -> int:
        """What must be counted when everything sent was acknowledged once or more."""
        return self.sent * REQUEST_MS

    def is_counted(self) -> bool:
        """Whether the number that readers see is that of the load."""
        return listened_ms(self._client) == self.listened_ms
