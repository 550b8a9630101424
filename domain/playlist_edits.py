"""Edits of a playlist's list: said of the version that somebody saw, made to the present one.

Each edit becomes steps, one after the other, on the list as it is by then. What was seen is found
again by its entry's id: a position means the entry that stood there, wherever that stands now.
"""

from collections.abc import Collection
from dataclasses import dataclass

from domain.playlist_moves import FEW, block_moves, few_moves, moves
from domain.playlist_steps import Delete, Entries, Insert, Steps
from domain.playlists import MOST_TOGETHER, BadEdit, Entry


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
