"""Edits of a playlist's list: said of the version that somebody saw, made to the present one.

Each edit becomes steps, one after the other, on the list as it is by then. What was seen is found
again by its entry's id: a position means the entry that stood there, wherever that stands now.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from domain.playlist_deltas import Splice
from domain.playlists import MOST_TOGETHER, BadEdit, Entry

Entries = Sequence[Entry]
FEW = 20  # entries, which are found faster by looking for them than by sums over all


@dataclass(frozen=True, slots=True)
class Insert:
    """Put *entries* before what stands at *index*."""

    index: int
    entries: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """How many entries it touches."""
        return len(self.entries)

    def splices(self, _entries: Entries) -> Iterator[Splice]:
        """Tell what it does to a list."""
        yield Splice(self.index, 0, self.entries)


@dataclass(frozen=True, slots=True)
class Move:
    """Take what stands at *start* to where it then stands at *end*."""

    start: int
    end: int
    size = 1

    def splices(self, entries: Entries) -> Iterator[Splice]:
        """Tell what it does to a list."""
        yield Splice(self.start, 1)
        yield Splice(self.end, 0, (entries[self.start].id,))


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove *count* entries from *index* on."""

    index: int
    count: int = 1

    @property
    def size(self) -> int:
        """How many entries it touches."""
        return self.count

    def splices(self, _entries: Entries) -> Iterator[Splice]:
        """Tell what it does to a list."""
        yield Splice(self.index, self.count)


Step = Insert | Move | Delete
Steps = Iterator[Step]


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave the list as it is."""

    def steps(self, _seen: Entries, _present: Entries) -> Steps:
        """Do nothing."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Add:
    """Put entries before what was seen at *position*; None: at the end."""

    entries: tuple[Entry, ...]
    position: int | None = None

    def steps(self, seen: Entries, present: Entries) -> Steps:
        """Find the place.

        :raises BadEdit: if there was no such position.
        """
        position = len(seen) if self.position is None else self.position
        check_bounds("position", position, range(len(seen) + 1))
        if self.entries:
            yield Insert(landing(seen, position, present), self.entries)


@dataclass(frozen=True, slots=True)
class Replace:
    """Have *entries* in the place of everything that was seen."""

    entries: tuple[Entry, ...]

    def steps(self, seen: Entries, present: Entries) -> Steps:
        """Remove what was seen and is there still; what was added since stays, behind."""
        yield from deletions(present, {entry.id for entry in seen})
        if self.entries:
            yield Insert(0, self.entries)


@dataclass(frozen=True, slots=True)
class Reorder:
    """Take *length* entries from *start* on to before what was seen at *before*."""

    start: int
    before: int
    length: int = 1

    def steps(self, seen: Entries, present: Entries) -> Steps:
        """Find those entries and that place again.

        :raises BadEdit: if what was seen had no such positions.
        """
        check_bounds("range_start", self.start, range(len(seen)))
        check_bounds("range_length", self.length, range(1, len(seen) - self.start + 1))
        check_bounds("insert_before", self.before, range(len(seen) + 1))
        end = self.start + self.length
        if self.start <= self.before <= end:
            return
        if seen is present:
            yield from block_moves(self.start, self.length, self.before)
            return
        leaving = {entry.id for entry in seen[self.start : end]}
        there = {entry.id for entry in present}
        moving = [entry for entry in seen[self.start : end] if entry.id in there]
        staying = [entry for entry in present if entry.id not in leaving]
        place = landing(seen, self.before, staying)
        if len(moving) <= FEW:
            yield from few_moves(present, moving, staying[place] if place < len(staying) else None)
        else:
            yield from moves(present, [*staying[:place], *moving, *staying[place:]])


@dataclass(frozen=True, slots=True)
class Removal:
    """A track of which all entries go, or those that were seen at *positions*."""

    track_id: str
    positions: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove entries by their track, and by their position if that is said."""

    removals: tuple[Removal, ...]
    field: str = "items"

    def steps(self, seen: Entries, present: Entries) -> Steps:
        """Remove what was meant and is there still.

        :raises BadEdit: if another track was seen at a position, or none.
        """
        tracks = {each.track_id for each in self.removals if each.positions is None}
        gone = {entry.id for entry in seen if entry.track_id in tracks}
        for number, each in enumerate(self.removals):
            for position in each.positions or ():
                field = f"{self.field}[{number}].positions"
                check_bounds(field, position, range(len(seen)))
                if seen[position].track_id != each.track_id:
                    raise BadEdit(field, f"another track stood at {position}")
                gone.add(seen[position].id)
        yield from deletions(present, gone)


@dataclass(frozen=True, slots=True)
class Restore:
    """Have the list as it was, in the version *entries*."""

    entries: Entries

    def steps(self, _seen: Entries, present: Entries) -> Steps:
        """Find what differs."""
        return towards(self.entries, present)


@dataclass(frozen=True, slots=True)
class Carry:
    """Do again what made *after* of *before*, where the entries *moved* changed their places."""

    before: Entries
    after: Entries
    moved: frozenset[str]

    def steps(self, _seen: Entries, present: Entries) -> Steps:
        """Find the same entries and neighbours; what others removed since stays removed."""
        return towards(self.carried(present), present)

    def carried(self, present: Entries) -> list[Entry]:
        """Make the list that comes of it."""
        before, after = ({entry.id for entry in each} for each in (self.before, self.after))
        there = {entry.id for entry in present}
        gone = before - after
        floating = {
            entry.id
            for entry in self.after
            if (entry.id in self.moved and entry.id in there)
            or (entry.id not in before and entry.id not in there)
        }
        staying = [entry for entry in present if entry.id not in gone | floating]
        anchors = {entry.id for entry in staying}
        behind: dict[str | None, list[Entry]] = {}
        anchor = None
        for entry in self.after:
            if entry.id in floating:
                behind.setdefault(anchor, []).append(entry)
            elif entry.id in anchors:
                anchor = entry.id
        carried = list(behind.get(None, ()))
        for entry in staying:
            carried.append(entry)
            carried += behind.get(entry.id, ())
        return carried


Edit = Keep | Add | Replace | Reorder | Remove | Restore | Carry


def check_bounds(field: str, number: int, bounds: range) -> None:
    """Refuse a number that is out of *bounds*.

    :raises BadEdit: if it is.
    """
    if number not in bounds:
        wants = f"from {bounds[0]} to {bounds[-1]}" if bounds else "nothing, the playlist is empty"
        raise BadEdit(field, f"wants {wants}, not {number}")


def landing(seen: Entries, position: int, present: Entries) -> int:
    """Find where in *present* something belongs that goes before *position* of *seen*.

    That is before the next entry that is there still, or else behind the nearest one before it.
    """
    if seen is present or position == len(seen):
        return len(present) if position == len(seen) else position
    places = {entry.id: place for place, entry in enumerate(present)}
    for entry in seen[position:]:
        if entry.id in places:
            return places[entry.id]
    for place in range(position - 1, -1, -1):
        if seen[place].id in places:
            return places[seen[place].id] + 1
    return len(present)


def towards(wanted: Entries, present: Entries) -> Steps:
    """Make *wanted* of *present*: remove what is too many, order what is there, add what is missing."""
    ids = {entry.id for entry in wanted}
    yield from deletions(present, {entry.id for entry in present} - ids)
    kept = [entry for entry in present if entry.id in ids]
    there = {entry.id for entry in kept}
    yield from moves(kept, [entry for entry in wanted if entry.id in there])
    yield from insertions(wanted, there)


def deletions(present: Entries, gone: Collection[str]) -> Steps:
    """Remove entries by their ids, neighbours together, the last ones first."""
    places = [place for place, entry in enumerate(present) if entry.id in gone]
    while places:
        last = places.pop()
        first = last
        while places and places[-1] == first - 1 and last - first < MOST_TOGETHER - 1:
            first = places.pop()
        yield Delete(first, last - first + 1)


def insertions(wanted: Entries, there: Collection[str]) -> Steps:
    """Add those of *wanted* that are not *there*, neighbours together; the others stand in order."""
    place = 0
    while place < len(wanted):
        end = place
        most = min(len(wanted), place + MOST_TOGETHER)
        while end < most and wanted[end].id not in there:
            end += 1
        if end > place:
            yield Insert(place, tuple(wanted[place:end]))
        place = end if end > place else place + 1


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
