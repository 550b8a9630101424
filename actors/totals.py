"""A partition's play counts of tracks, on their way from records to the store."""

from dataclasses import dataclass, field

from stores.listening import Subtotal


@dataclass(slots=True)
class Totals:
    """A partition's play counts of tracks: those read, and which of them changed."""

    subtotals: dict[str, Subtotal] = field(default_factory=dict)
    dirty: set[str] = field(default_factory=set)

    def count(self, track_id: str, at_position: int) -> None:
        """Count a play, unless the subtotal that was read holds it already."""
        known = self.subtotals[track_id]
        if at_position > known.position:
            self.subtotals[track_id] = Subtotal(known.count + 1, known.position)
        self.dirty.add(track_id)

    def take(self) -> dict[str, int]:
        """The counts that changed since the last call."""
        taken = {track: self.subtotals[track].count for track in self.dirty}
        self.dirty.clear()
        return taken

    def forget(self, keep: dict[str, int]) -> None:
        """Let go of all but what is being written."""
        self.subtotals = {track: self.subtotals[track] for track in keep}
