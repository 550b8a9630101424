"""Bodies of ``/v1/heartbeats`` as gateways send them: of listeners who play one track after another."""

import random
import string
from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
TRACKS = 50_000
BEAT_MS = 30_000
ID_LETTERS = 22
_LETTERS = string.digits + string.ascii_letters
_CLIENTS = ("ios", "android", "web", "desktop", "speaker", "car")

Beat = dict[str, Any]


class Crowd:
    """Listeners with ids like those of accounts, each at some place of some track."""

    def __init__(self, listeners: int, *, seed: int = 7) -> None:
        self._random = random.Random(seed)  # noqa: S311 (nobody's secret)
        self._tracks = self._ids(TRACKS)
        self._listeners = self._ids(listeners)
        self._plays = self._ids(listeners)
        popular = [self._random.paretovariate(0.8) for _ in range(TRACKS)]
        self._playing = self._random.choices(range(TRACKS), popular, k=listeners)

    def beats(self, chosen: Sequence[int], now_ms: int, *, within_ms: int = BEAT_MS) -> list[Beat]:
        """Make one heartbeat of each of the *chosen* listeners, at an instant *within_ms* before now."""
        return [
            {
                "id": identity,
                "listener_id": self._listeners[index],
                "track_id": self._tracks[self._playing[index]],
                "play_id": self._plays[index],
                "stretch": 0,
                "kind": "beat",
                "at": now_ms - self._random.randrange(within_ms),
                "position_ms": self._random.randrange(200_000),
                "device_id": f"{_CLIENTS[index % len(_CLIENTS)]}-{index % 1_000}",
                "context": f"heartline:playlist:{self._tracks[index % 997]}",
            }
            for index, identity in zip(chosen, self._ids(len(chosen)), strict=True)
        ]

    def _ids(self, count: int) -> list[str]:
        letters = "".join(self._random.choices(_LETTERS, k=count * ID_LETTERS))
        return [letters[at : at + ID_LETTERS] for at in range(0, len(letters), ID_LETTERS)]


def json_body(beats: list[Beat]) -> bytes:
    """Write heartbeats as JSON."""
    return msgspec.json.encode({"heartbeats": beats})


def arrow_body(beats: list[Beat]) -> bytes:
    """Write heartbeats as an Arrow IPC stream."""
    table = pa.Table.from_pylist(beats)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return body
