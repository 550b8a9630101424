"""One number of the store beside what the heartbeats give, and what is told where they differ."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.recount import PlayCount, PlayOf
from domain.rows import Play


@dataclass(frozen=True, slots=True)
class Difference:
    """One number that the store has otherwise than the heartbeats give it."""

    of: str  # a listener, or a track
    what: str
    stored: int
    least: int
    most: int

    def __str__(self) -> str:
        counted = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
        return f"{self.of}: {self.what}: the store has {self.stored}, the heartbeats give {counted}"


def beyond(of: str, what: str, stored: int, least: int, most: int) -> Iterable[Difference]:
    """Tell of a number that does not lie between two others."""
    if not least <= stored <= most:
        yield Difference(of, what, stored, least, most)


def of_play(
    name: str, play: PlayOf, stored: Play | None, least: PlayCount | None, most: PlayCount | None
) -> Iterable[Difference]:
    """Compare a listener's play with what the committed records and all of them make of it."""
    what = f"play {play.play_id or play.utc_day} of {play.track_id}"
    if stored is None:
        if least is not None:
            yield Difference(name, f"{what}, rows", 0, 1, 1)
        return
    least_ms, most_ms = (count.ms_played if count else 0 for count in (least, most))
    yield from beyond(name, f"{what}, ms", stored.ms_played, least_ms, most_ms)
    if least is not None and least == most:
        begun_ms = least.first_ms
        yield from beyond(name, f"{what}, beginning", stored.played_at_ms, begun_ms, begun_ms)
        if (stored.context, stored.device_id) != (least.context, least.device_id):
            yield Difference(name, f"{what}, equal contexts and devices", 0, 1, 1)
