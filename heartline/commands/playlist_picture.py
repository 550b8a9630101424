"""A playlist as a table for a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from domain.units import HOUR_MS, MINUTE_MS, SECOND_MS
from heartline.commands.playlist_objects import Item, Listener, Playlist

FAINT = Style(dim=True)
DATE = len("2026-11-21")
WHO = 8  # characters of who added a track


def picture(playlist: Playlist, items: Sequence[Item]) -> RenderableType:
    """Draw a playlist with all its items."""
    parts = _head(playlist, items)
    if items:
        parts += ["", _table(playlist, items)]
    return Group(*parts)


def _head(playlist: Playlist, items: Sequence[Item]) -> list[RenderableType]:
    ms = sum(item.track.duration_ms or 0 for item in items if item.track)
    seen = "collaborative" if playlist.collaborative else "public" if playlist.public else "private"
    facts = [
        f"by {playlist.owner.display_name or playlist.owner.id}",
        _counted(len(items), "track"),
        f"{ms / HOUR_MS:.1f} hours",
        _counted(playlist.followers.total, "follower"),
        seen,
    ]
    lines: list[RenderableType] = [Text(playlist.name, "bold"), Text(" · ".join(facts))]
    if playlist.description:
        lines.append(Text(playlist.description))
    return [*lines, Text(playlist.uri, FAINT)]


def _table(playlist: Playlist, items: Sequence[Item]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style=FAINT)
    table.add_column("#", justify="right", no_wrap=True)
    for name in ("title", "artists", "album"):
        table.add_column(name, overflow="fold")
    table.add_column("length", justify="right", no_wrap=True)
    table.add_column("added at", no_wrap=True)
    table.add_column("added by", no_wrap=True, overflow="ellipsis", max_width=WHO)
    for number, item in enumerate(items, 1):
        table.add_row(str(number), *_what(item), *_whence(item, playlist.owner))
    return table


def _what(item: Item) -> list[Text]:
    if item.track is None:
        return [Text("(cannot be shown)", FAINT), Text(), Text(), Text()]
    track = item.track.as_file_track()
    told = (track.title, ", ".join(track.artists), track.album, _length(track.duration_ms))
    return [Text(each) for each in told]


def _whence(item: Item, owner: Listener) -> list[Text]:
    by = item.added_by or Listener()
    name = owner.display_name if by.id == owner.id else by.display_name
    return [Text((item.added_at or "")[:DATE]), Text(name or by.id)]


def _length(ms: int | None) -> str:
    if not ms:
        return ""
    hours, minutes = ms // HOUR_MS, ms % HOUR_MS // MINUTE_MS
    seconds = ms % MINUTE_MS // SECOND_MS
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
