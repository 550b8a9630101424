"""Where shards announce presence, in a dictionary: it can be away, break, and forget."""

from collections.abc import Sequence

from domain.errors import Unavailable
from domain.ports import Announcement


def no_jitter() -> float:
    return 0.0


class MemoryBoard:
    """A `domain.ports.PresenceBoard`; *told* has every call that it took, with who was in it."""

    def __init__(self) -> None:
        self.away = ""
        self.shown: dict[str, Announcement] = {}
        self.told: list[list[str]] = []
        self.breaks = 0

    async def announce(self, announcements: Sequence[Announcement]) -> None:
        if self.away:
            raise Unavailable(self.away)
        if self.breaks:
            self.breaks -= 1
            raise RuntimeError("a fault of ours")
        self.told.append([each.listener_id for each in announcements])
        for each in announcements:
            stands = self.shown.get(each.listener_id)
            if stands is None or each.version > stands.version:
                self.shown[each.listener_id] = each

    def forget(self) -> None:
        self.shown.clear()
        self.told.clear()
