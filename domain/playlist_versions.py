"""Snapshot ids: each names one version of one playlist, and can be told from those of others."""

import base64
import binascii
from hashlib import blake2b

from domain.playlists import BadEdit

MARK_BYTES = 6  # of the playlist's id
NUMBER_BYTES = 6
_CHARACTERS = (MARK_BYTES + NUMBER_BYTES) * 4 // 3


def snapshot_id(playlist_id: str, number: int) -> str:
    """Name the version after *number* edits."""
    named = _mark(playlist_id) + number.to_bytes(NUMBER_BYTES, "big")
    return base64.urlsafe_b64encode(named).decode()


def version_number(playlist_id: str, snapshot: str, field: str = "snapshot_id") -> int:
    """Tell how many edits the version has that *snapshot* names.

    :raises BadEdit: if it is not a snapshot id of that playlist.
    """
    named = _decoded(snapshot)
    if not named.startswith(_mark(playlist_id)) or len(named) != MARK_BYTES + NUMBER_BYTES:
        raise BadEdit(field, "wants a snapshot id of this playlist")
    return int.from_bytes(named[MARK_BYTES:], "big")


def _mark(playlist_id: str) -> bytes:
    return blake2b(playlist_id.encode(), digest_size=MARK_BYTES).digest()


def _decoded(snapshot: str) -> bytes:
    if len(snapshot) != _CHARACTERS or not snapshot.isascii():
        return b""
    try:
        return base64.b64decode(snapshot, altchars=b"-_", validate=True)
    except binascii.Error:
        return b""
