"""What histories hold, told by a first reading of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from heartline.histories import plays_of
from heartline.history_rows import Play
from heartline.replayed_plays import heartbeats_in, started_ms
from heartline.replayed_titles import Titles


@dataclass(slots=True)
class Survey:
    """How many plays and heartbeats, from when to when, of what tracks."""

    plays: int = 0
    heartbeats: int = 0
    newest_ms: int = 0
    oldest_ms: int = 1 << 62
    titles: Titles = field(default_factory=Titles)

    def add(self, play: Play) -> None:
        """Take one play into account."""
        self.plays += 1
        self.heartbeats += heartbeats_in(play)
        self.newest_ms = max(self.newest_ms, play.ended_ms)
        self.oldest_ms = min(self.oldest_ms, started_ms(play))
        self.titles.add(play)


def survey(paths: Sequence[Path]) -> Survey:
    """Read every file once, so that nothing is sent of a history of which a part is damaged.

    Raises
    ------
    UnreadableHistory
        A file is none, or is damaged.
    """
    found = Survey()
    for play in chain.from_iterable(map(plays_of, paths)):
        found.add(play)
    return found
