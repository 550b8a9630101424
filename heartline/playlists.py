"""What serves playlists, made of a store."""

from random import SystemRandom

from domain.ports import Tables
from heartline.wiring import new_id, new_secret, now_ms
from serve.playlist_app import PlaylistParts


def playlist_parts(tables: Tables) -> PlaylistParts:
    """Make the repositories of playlists."""
    return PlaylistParts.of(
        tables, now_ms=now_ms, new_id=new_id, new_secret=new_secret, random=SystemRandom()
    )
