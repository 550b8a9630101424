"""A client of ours that edits its own copy of a playlist, as the one in a browser would."""

from loro import ExportMode, LoroDoc, LoroMap

from domain.playlists import TRACK_PREFIX, Role
from stores.open_playlist import OpenPlaylist
from stores.playlist_errors import Outdated
from stores.playlist_merged import DETAILS, ENTRIES, GONE
from stores.playlist_merging import Judge, Merge
from stores.playlist_rows import Head
from stores.playlists import Playlists


def anybody(_head: Head) -> None:
    """Let everybody edit."""


class PlaylistClient:
    """A copy of the document, with a peer of its own and edits that were not sent yet."""

    def __init__(self, playlist: OpenPlaylist, peer: int, who: str = "bob") -> None:
        self.who, self.peer, self._added = who, peer, 0
        self.begin(playlist, peer)

    def begin(self, playlist: OpenPlaylist, peer: int) -> None:
        """Begin a copy anew."""
        self.peer, self.document = peer, LoroDoc()
        self.document.import_(playlist.copy())
        self.document.peer_id = peer
        self.sent = self.document.oplog_vv

    def names(self) -> list[str]:
        """Tell the ids of the entries that can be seen."""
        listed = self.document.get_movable_list(ENTRIES).get_deep_value()
        return [each["id"] for each in listed if not each.get(GONE)]

    def add(self, place: int, *, at_ms: int, **other: object) -> str:
        """Add an entry; *other* values stand in for what it should have."""
        self._added += 1
        name = f"p{self.peer}n{self._added}"
        made = self.document.get_movable_list(ENTRIES).insert_container(place, LoroMap())
        right = {"id": name, "uri": f"{TRACK_PREFIX}t", "added_at": at_ms, "added_by": self.who}
        for key, value in {**right, **other}.items():
            made.insert(key, value)
        self.document.commit()
        return name

    def move(self, start: int, end: int) -> None:
        """Move an entry."""
        self.document.get_movable_list(ENTRIES).mov(start, end)
        self.document.commit()

    def remove(self, place: int) -> str:
        """Remove an entry, as everybody must: first it is gone."""
        listed = self.document.get_movable_list(ENTRIES)
        entry = listed.get(place).container
        entry.insert(GONE, True)
        name = entry.get("id").value
        listed.delete(place, 1)
        self.document.commit()
        return str(name)

    def rename(self, name: object) -> None:
        """Change the name."""
        self.document.get_map(DETAILS).insert("name", name)
        self.document.commit()

    @property
    def length(self) -> int:
        """How many entries the copy has, those that are gone included."""
        return len(self.document.get_movable_list(ENTRIES))

    def update(self) -> bytes:
        """What was done and not sent yet, and what came meanwhile."""
        return bytes(self.document.export(ExportMode.Updates(self.sent)))

    def take(self, update: bytes) -> None:
        """Take in what others did."""
        self.document.import_(update)

    async def send(
        self, playlists: Playlists, playlist_id: str, now_ms: int, role: Role = Role.EDIT
    ) -> bool:
        """Send what was done; tells whether the copy may be gone on with."""
        judge = Judge(self.who, self.peer, role, now_ms)
        update, end = self.update(), self.document.oplog_vv
        try:
            merge = Merge(update, judge)
            await playlists.edit(playlist_id, merge, by=self.who, allow=anybody)
        except Outdated:
            await playlists.merge(playlist_id, update, judge, allow=anybody)
            return False
        self.sent = end
        return True


def update_of_a_move() -> bytes:
    """Make an update that a client might send."""
    document = LoroDoc()
    document.peer_id = 1 << 40
    listed = document.get_movable_list(ENTRIES)
    for _ in range(2):
        listed.insert_container(0, LoroMap()).insert("id", "x")
    document.commit()
    begin = document.oplog_vv
    listed.mov(0, 1)
    document.commit()
    return bytes(document.export(ExportMode.Updates(begin)))
