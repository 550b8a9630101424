"""What somebody listened in each UTC quarter-hour of a time: what weeks are summed from."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Quarters(NamedTuple):
    """Quarter-hours one after the other: the number of the *first*, and ms listened in each."""

    first: int
    listened_ms: npt.NDArray[np.int64]

    @classmethod
    def of(cls, listened: Mapping[int, int], first: int, last: int) -> "Quarters":
        """Spread a quarter's number to its ms over the quarters *first* to *last*, inclusive."""
        inside = {number: ms for number, ms in listened.items() if first <= number <= last}
        spread = np.zeros(last - first + 1, np.int64)
        spread[np.array([*inside], np.int64) - first] = [*inside.values()]
        return cls(first, spread)

    def mapping(self) -> dict[int, int]:
        """Tell a quarter's number to its ms, those in which nothing was listened left out."""
        (heard,) = self.listened_ms.nonzero()
        numbers = (heard + self.first).tolist()
        return dict(zip(numbers, self.listened_ms[heard].tolist(), strict=True))
