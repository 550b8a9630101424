"""Plays that were listened to long enough to count."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.kernels.state import Array


@dataclass(frozen=True, slots=True)
class Counted:
    """Plays that reached their 30 s: each is one of a track, with the record at a position."""

    tracks: list[str]
    of: Array  # i4[plays]: the index of the track
    positions: Array  # i8[plays]

    def beyond(self, known: Sequence[int]) -> list[int]:
        """Count each track's plays with records after the position *known* for that track."""
        fresh = self.of[self.positions > np.array(known, np.int64)[self.of]]
        counts: list[int] = np.bincount(fresh, minlength=len(self.tracks)).tolist()
        return counts
