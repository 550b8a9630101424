"""What a history tells of its tracks, for a catalogue that does not know them yet.

Heartbeats carry ids alone, and the listener wants to see names in the history.
"""

from domain.catalogue import Album, Artist, Entity, Track
from domain.catalogue_ids import album_id, artist_id
from domain.ids import is_id, is_text
from heartline.catalogues import Changing
from heartline.history_rows import Play

MOST_TITLE_BYTES = 1_024


class Titles:
    """The tracks of a history, each once, with their artists and albums."""

    def __init__(self) -> None:
        self._tracks: dict[str, Track] = {}
        self._albums: dict[str, Album] = {}
        self._artists: dict[str, Artist] = {}

    def add(self, play: Play) -> None:
        """Note a play's track, if its title and artist can be shown."""
        said = (play.title, play.artist)
        if (
            play.track_id in self._tracks
            or not (play.title.strip() and is_id(play.track_id))
            or not all(is_text(text, MOST_TITLE_BYTES) for text in said)
        ):
            return
        artists, album = self._artist(play.artist), self._album(play)
        self._tracks[play.track_id] = Track(play.track_id, play.title, artists, album)

    def entities(self) -> list[Entity]:
        """Tell them all; what names others comes behind these."""
        return [*self._artists.values(), *self._albums.values(), *self._tracks.values()]

    def _artist(self, name: str) -> tuple[str, ...]:
        if not name.strip():
            return ()
        known = self._artists.setdefault(artist_id(name), Artist(artist_id(name), name))
        return (known.id,)

    def _album(self, play: Play) -> str:
        name = play.album
        if not (name.strip() and play.artist.strip() and is_text(name, MOST_TITLE_BYTES)):
            return ""
        album = Album(album_id(play.artist, name), name, (artist_id(play.artist),))
        return self._albums.setdefault(album.id, album).id


async def describe(change: Changing, titles: Titles) -> None:
    """Put what a catalogue does not know of *titles* into it; what it knows stays."""
    await change.publish(await change.catalogue.missing(titles.entities()))
