"""A live crowd: gateways that post a heartbeat of every listener each 30 seconds, as Arrow streams."""

import time
from threading import Event, Thread
from typing import Self

import httpx
import pyarrow as pa

BEAT_S = 30.0
POST_EVERY_S = 0.1
BEATS_PER_TRACK = 7
TRACKS = 5_000
TIMEOUT_S = 10.0
AGAIN_S = 0.2


class Crowd:
    """Posts for *listeners* in turn until left; a request is sent again until it is taken."""

    def __init__(self, url: str, token: str, listeners: int) -> None:
        self._ids = [f"{number:022d}" for number in range(listeners)]
        headers = {
            "authorization": f"Bearer {token}",
            "content-type": "application/vnd.apache.arrow.stream",
        }
        self._client = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S)
        self._enough, self._thread = Event(), Thread(target=self._run, daemon=True)
        self.rounds = 0  # how often everybody was heard
        self.behind_s = 0.0  # how late the last request was sent

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        size = max(1, round(len(self._ids) * POST_EVERY_S / BEAT_S))
        due_s = time.monotonic()
        while not self._enough.is_set():
            for begin in range(0, len(self._ids), size):
                self._post(begin, begin + size)
                due_s += POST_EVERY_S
                self.behind_s = max(0.0, time.monotonic() - due_s)
                if self._enough.wait(max(0.0, due_s - time.monotonic())):
                    return
            self.rounds += 1

    def _post(self, begin: int, end: int) -> None:
        body = self._body(begin, self._ids[begin:end])
        while not self._enough.is_set():
            try:
                if self._client.post("/v1/heartbeats", content=body).status_code == 202:
                    return
            except httpx.HTTPError:
                pass
            self._enough.wait(AGAIN_S)

    def _body(self, begin: int, ids: list[str]) -> bytes:
        places = range(begin, begin + len(ids))
        songs = [(place, (place + self.rounds) // BEATS_PER_TRACK) for place in places]
        columns = {
            "id": [f"{name}-{self.rounds}" for name in ids],
            "listener_id": ids,
            "track_id": [f"track{(a * 31 + b) % TRACKS:017d}" for a, b in songs],
            "play_id": [f"play{a:010d}{b:08d}" for a, b in songs],
            "kind": ["beat"] * len(ids),
            "at": pa.array([time.time_ns() // 1_000_000] * len(ids), pa.int64()),
        }
        batch = pa.RecordBatch.from_pydict(columns)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        return sink.getvalue().to_pybytes()
