"""A playlist: its entries, its details, and what names and descriptions it may have."""

import re
import unicodedata
from enum import StrEnum

from msgspec import Struct

from domain.errors import Refused
from domain.ids import is_id, is_text

MOST_ENTRIES = 10_000
MOST_TOGETHER = 100  # entries that one request adds, replaces or removes, as Spotify has it
NAME_CHARACTERS = 200
DESCRIPTION_CHARACTERS = 1_000
MOST_BYTES_A_CHARACTER = 4
HISTORY_DAYS = 90  # how long versions are kept, and edits made offline are taken

TRACK_PREFIX = "heartline:track:"
_FOREIGN_PREFIX = "spotify:track:"  # what Spotify's client libraries make of an id
_ENTRY_ID = re.compile(r"[0-9A-Za-z]{1,22}")


class Role(StrEnum):
    """What somebody may do with a playlist; each may do what those after it may."""

    OWNER = "owner"
    EDIT = "edit"
    VIEW = "view"


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """A track at a place of a playlist; the same track twice is two entries."""

    id: str  # unique within the playlist
    track_id: str
    added_at: int  # ms since the epoch
    added_by: str


class Details(Struct, frozen=True, omit_defaults=True):
    """What a playlist is called, and who may find it."""

    name: str
    description: str = ""
    public: bool = True
    collaborative: bool = False  # whoever may see it may edit it


class BadEdit(Refused):
    """Raised when an edit cannot be made, whatever the playlist holds by now."""

    def __init__(self, field: str, wants: str) -> None:
        super().__init__(field, wants)
        self.field, self.wants = field, wants

    def __str__(self) -> str:
        return f"{self.field}: {self.wants}"


def track_of(uri: str, field: str) -> str:
    """Take the track's id out of a URI.

    :raises BadEdit: if it is not a track's.
    """
    for prefix in (TRACK_PREFIX, _FOREIGN_PREFIX):
        if uri.startswith(prefix) and is_id(uri[len(prefix) :]):
            return uri[len(prefix) :]
    raise BadEdit(
        field, f"wants a track, like {TRACK_PREFIX}4uLU6hMCjMI75M1A2tKUQC, not {uri[:60]!r}"
    )


def is_entry_id(text: object) -> bool:
    """Whether *text* can name an entry: 1 to 22 letters and digits."""
    return isinstance(text, str) and _ENTRY_ID.fullmatch(text) is not None


def check_details(details: Details) -> Details:
    """Take details as they are.

    :raises BadEdit: if a text is empty, too long or has control characters, or flags contradict.
    """
    name = details.name
    if not _is_seen(name) or not is_text(name, NAME_CHARACTERS * MOST_BYTES_A_CHARACTER):
        raise BadEdit("name", "wants something to read, without control characters")
    if len(name) > NAME_CHARACTERS:
        raise BadEdit("name", f"wants at most {NAME_CHARACTERS} characters")
    if len(details.description) > DESCRIPTION_CHARACTERS:
        raise BadEdit("description", f"wants at most {DESCRIPTION_CHARACTERS} characters")
    if not is_text(
        details.description.replace("\n", " "), DESCRIPTION_CHARACTERS * MOST_BYTES_A_CHARACTER
    ):
        raise BadEdit("description", "wants no control characters but line ends")
    if details.public and details.collaborative:
        raise BadEdit("collaborative", "wants a playlist that is not public")
    return details


def _is_seen(text: str) -> bool:
    return any(not unicodedata.category(each).startswith(("C", "Z")) for each in text)
