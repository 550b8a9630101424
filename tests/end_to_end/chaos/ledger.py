"""What was sent, and how it was answered: the only account of what the numbers must be."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from domain.heartbeats import KINDS, Heartbeat

Item = Mapping[str, Any]  # a heartbeat as it is sent, with its listener_id


@dataclass(slots=True)
class Ledger:
    """The acknowledged heartbeats of each listener, and what did not go as it should."""

    acknowledged: dict[str, dict[tuple[str, str, int], set[int]]] = field(default_factory=dict)
    taken: int = 0
    refused: int = 0
    retried: int = 0
    wrong: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def answered(
        self, items: Sequence[Item], rejected: Iterable[Mapping[str, Any]], bad: frozenset[str]
    ) -> None:
        """Note a 202: all *items* but those *rejected* are acknowledged; *bad* ones must be among these."""
        by_index = {each["index"]: each for each in rejected}
        with self._lock:
            for index, item in enumerate(items):
                if (index in by_index) != (item["id"] in bad):
                    self.wrong.append(f"{item} was answered with {by_index.get(index)}")
                if index in by_index:
                    self.refused += 1
                else:
                    self._acknowledge(item)

    def refuse(self, items: Sequence[Item], status: int) -> None:
        """Note that a whole request was refused, which none should be."""
        with self._lock:
            self.refused += len(items)
            self.wrong.append(f"a request was refused with {status}")

    def retry(self) -> None:
        """Note that a request is sent again, since nobody knows what became of it."""
        with self._lock:
            self.retried += 1

    def heartbeats(self, listener_id: str) -> list[Heartbeat]:
        """Tell what the listener's numbers are made of."""
        with self._lock:
            lanes = self.acknowledged.get(listener_id, {})
            return [
                Heartbeat(
                    id="one",
                    listener_id=listener_id,
                    track_id=track,
                    play_id=play,
                    stretch=stretch,
                    kind=KINDS["beat"],
                    at=at,
                )
                for (track, play, stretch), instants in lanes.items()
                for at in instants
            ]

    def listeners(self) -> list[str]:
        """Tell of whom anything was acknowledged."""
        with self._lock:
            return sorted(self.acknowledged)

    def _acknowledge(self, item: Item) -> None:
        self.taken += 1
        if item["kind"] in {"seek", "skip"}:
            return
        lanes = self.acknowledged.setdefault(item["listener_id"], defaultdict(set))
        lanes[item["track_id"], item["play_id"], item["stretch"]].add(item["at"])
