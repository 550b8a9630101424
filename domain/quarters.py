"""What somebody listened in each UTC quarter-hour of a time: what weeks are summed from."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Quarters(NamedTuple):
    """Quarter-hours in which somebody listened: their numbers, ascending, and ms listened in each."""

    numbers: npt.NDArray[np.int64]
    listened_ms: npt.NDArray[np.int64]

    @classmethod
    def of(cls, listened: Mapping[int, int]) -> "Quarters":
        """Take a quarter's number to its ms."""
        numbers = sorted(listened)
        return cls(np.array(numbers, np.int64), np.array([listened[n] for n in numbers], np.int64))

    def between(self, first: int, last: int) -> "Quarters":
        """Tell those from *first* to *last*, inclusive."""
        begin, end = self.numbers.searchsorted((first, last + 1)).tolist()
        return Quarters(self.numbers[begin:end], self.listened_ms[begin:end])

    def mapping(self) -> dict[int, int]:
        """Tell a quarter's number to its ms."""
        return dict(zip(self.numbers.tolist(), self.listened_ms.tolist(), strict=True))
