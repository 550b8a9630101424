"""What a history tells of its tracks, for a catalogue that does not know them yet.

Heartbeats carry ids alone, and the listener wants to see names in the history.
"""

import asyncio
from collections.abc import Iterable, Sequence

from domain.ids import is_text
from heartline.history_rows import Play
from stores.titles import Catalogue, Track

MOST_TITLE_BYTES = 1_024
WRITES_AT_ONCE = 64  # they share a commit


class Titles:
    """The tracks of a history, each once."""

    def __init__(self) -> None:
        self._tracks: dict[str, Track] = {}

    def add(self, play: Play) -> None:
        """Note a play's track, if its title and artist can be shown."""
        said = (play.title, play.artist)
        if play.title and all(is_text(text, MOST_TITLE_BYTES) for text in said):
            self._tracks.setdefault(play.track_id, Track(play.track_id, play.title, play.artist))

    def tracks(self) -> list[Track]:
        """Tell them all."""
        return list(self._tracks.values())


async def describe(catalogue: Catalogue, tracks: Sequence[Track]) -> int:
    """Put those of *tracks* into the catalogue that it does not know; tell how many."""
    known = await catalogue.titles([track.id for track in tracks])
    unknown = [track for track in tracks if track.id not in known]
    await asyncio.gather(*(catalogue.put_many(part) for part in _parts(unknown)))
    return len(unknown)


def _parts(tracks: Sequence[Track]) -> Iterable[Sequence[Track]]:
    return (tracks[first::WRITES_AT_ONCE] for first in range(min(len(tracks), WRITES_AT_ONCE)))
