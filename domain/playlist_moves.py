"""The moves that bring entries of a list into another order."""

from bisect import bisect_left
from collections.abc import Sequence

from domain.playlist_steps import Entries, Move, Steps
from domain.playlists import Entry

FEW = 20  # entries, which are found faster by looking for them than by sums over all


def block_moves(start: int, length: int, before: int) -> Steps:
    """Move neighbours past others, or the others past them if those are fewer."""
    if before > start:
        passed = before - start - length
        if length <= passed:
            yield from (Move(start, before - 1) for _ in range(length))
        else:
            yield from (Move(start + length + n, start + n) for n in range(passed))
    elif length <= start - before:
        yield from (Move(start + n, before + n) for n in range(length))
    else:
        yield from (Move(before, start + length - 1) for _ in range(start - before))


def few_moves(present: Entries, moving: Entries, before: Entry | None) -> Steps:
    """Bring some entries, one behind the other, to before another; None: to the end."""
    work, previous = list(present), None
    for entry in moving:
        start = work.index(entry)
        del work[start]
        if previous is not None:
            end = work.index(previous) + 1
        else:
            end = len(work) if before is None else work.index(before)
        work.insert(end, entry)
        previous = entry
        if start != end:
            yield Move(start, end)


def moves(present: Entries, wanted: Entries) -> Steps:
    """Bring the same entries into another order with the fewest moves.

    Those that stay are a frame. What moves stands behind one of them, its anchor, or before all; so the
    index of anything is a sum over the places of the frame.
    """
    places = {entry.id: place for place, entry in enumerate(present, start=1)}
    order = [places[entry.id] for entry in wanted]
    staying = longest_rising(order)
    standing, anchor = Sums(len(present) + 1), 0
    for place in order:
        standing.add(place, 1)
    for number, place in enumerate(order):
        if number in staying:
            anchor = place
            continue
        start = standing.before(place)
        standing.add(place, -1)
        end = standing.before(anchor + 1)
        standing.add(anchor, 1)
        if start != end:
            yield Move(start, end)


class Sums:
    """Sums of numbers at places from 0 on, which change (Fenwick 1994)."""

    def __init__(self, size: int) -> None:
        self._sums = [0] * (size + 1)

    def add(self, place: int, number: int) -> None:
        """Add to the number at a place."""
        place += 1
        while place < len(self._sums):
            self._sums[place] += number
            place += place & -place

    def before(self, place: int) -> int:
        """Sum the numbers at the places before one."""
        total = 0
        while place:
            total += self._sums[place]
            place -= place & -place
        return total


def longest_rising(numbers: Sequence[int]) -> set[int]:
    """Tell the places of a longest rising subsequence (Fredman 1975, patience sorting)."""
    tails: list[int] = []  # the smallest end of a rising subsequence of each length
    ends: list[int] = []  # its place
    before: list[int] = []
    for place, number in enumerate(numbers):
        length = bisect_left(tails, number)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [number]
        ends[length : length + 1] = [place]
    found = set()
    place = ends[-1] if ends else -1
    while place >= 0:
        found.add(place)
        place = before[place]
    return found
