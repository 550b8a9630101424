"""What came of importing a playlist, as far as it got."""

from dataclasses import dataclass, field
from operator import attrgetter

from domain.playlist_files import FileTrack
from heartline.terminal import note, say, say_json


@dataclass(frozen=True, slots=True)
class Missing:
    """A track of the file that is not in the playlist, and why."""

    order: int  # in the file, from 0
    track: FileTrack
    reason: str

    def document(self) -> dict[str, str]:
        """Tell it to machines."""
        return {
            "place": self.track.place,
            "title": self.track.title or self.track.uri,
            "artist": ", ".join(self.track.artists),
            "reason": self.reason,
        }

    def __str__(self) -> str:
        told = filter(None, (", ".join(self.track.artists), self.track.title))
        return f"{self.track.place}: {' - '.join(told) or self.track.uri}: {self.reason}"


@dataclass(slots=True)
class Outcome:
    """The playlist, which has no id before it is made, and what became of the file's tracks."""

    name: str
    id: str | None = None
    added: int = 0
    missing: list[Missing] = field(default_factory=list)

    def tell(self, file: str, *, as_json: bool, dry_run: bool) -> None:
        """Tell it, to machines or to people; what is missing goes before the result."""
        missing = sorted(self.missing, key=attrgetter("order"))
        if as_json:
            told = [one.document() for one in missing]
            say_json({"id": self.id, "name": self.name, "added": self.added, "missing": told})
            return
        for one in missing:
            note(f"{file}: {one}")
        tracks = "1 track" if self.added == 1 else f"{self.added} tracks"
        where = f" (heartline:playlist:{self.id})" if self.id else ""
        would = " would be" if dry_run else ""
        say(f"{self.name}{where}: {tracks}{would} added, {len(missing)} not found.")
