"""Which fields of an answer somebody wants to see, by the syntax of Spotify's ``fields``.

    description,tracks.items(added_at,track(name,album(!images,href)))

A dot and parentheses say the same, what to show inside of a name; lists are gone through. An
exclamation mark takes away what its path would show. A group with one shows everything but that, and
but the plain names beside it: so we read Spotify's example, ``album(!name,href)``. A name there with
something inside still shows just that. What is named twice shows what either would.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from domain.errors import Refused

MOST_CHARACTERS = 1_000
MOST_DEPTH = 16

_TOKEN = re.compile(r"(?P<name>[A-Za-z0-9_]+)|\S")


class InvalidFields(Refused):
    """Raised when fields are not written as they should be; the first character is number 1."""

    def __init__(self, position: int, fault: str) -> None:
        super().__init__(position, fault)
        self.position, self.fault = position, fault

    def __str__(self) -> str:
        return f"character {self.position} of fields: {self.fault}"


@dataclass(frozen=True, slots=True)
class Fields:
    """What to show of an object, or of each object in a list; equal if they show the same."""

    inside: Mapping[str, "Fields | None"]  # None hides a name
    others: bool  # whether names that are not in *inside* are shown, whole

    def of(self, name: str) -> "Fields | None":
        """What to show of the value under *name*; None if not even the name."""
        return self.inside.get(name, EVERYTHING if self.others else None)


EVERYTHING = Fields({}, others=True)


def select(fields: Fields, value: Any) -> Any:
    """Make a copy of *value* with nothing but *fields*; what is shown whole is shared, not copied.

    What is neither an object nor a list has no fields, and is shown.
    """
    if fields == EVERYTHING:
        return value
    if isinstance(value, list | tuple):
        return [select(fields, item) for item in value]
    if not isinstance(value, dict):
        return value
    shown = ((name, fields.of(name)) for name in value)
    return {name: select(inside, value[name]) for name, inside in shown if inside is not None}


def wants(fields: Fields, *path: str) -> bool:
    """Whether anything at *path*, which passes through lists, would be shown."""
    inside: Fields | None = fields
    for name in path:
        inside = inside and inside.of(name)
    return inside is not None


def parse_fields(text: str) -> Fields:
    """Read fields; a blank text asks for everything, as none does. Raise `InvalidFields`."""
    if len(text) > MOST_CHARACTERS:
        raise InvalidFields(MOST_CHARACTERS + 1, f"there may be {MOST_CHARACTERS}")
    return _Reading(text).everything()


class _Entry(NamedTuple):
    """One of the names of a group."""

    name: str
    inside: Fields
    is_plain: bool  # without anything inside
    is_marked: bool

    @property
    def fields(self) -> Fields:
        return Fields({self.name: self.inside}, others=False)


@dataclass(slots=True)
class _Reading:
    """A text and how far it was read; as deep in Python's stack as names are nested."""

    text: str
    tokens: list[re.Match[str]] = field(init=False)  # the next one is the last

    def __post_init__(self) -> None:
        self.tokens = [*_TOKEN.finditer(self.text)][::-1]

    def everything(self) -> Fields:
        if not self.tokens:
            return EVERYTHING
        fields = _grouped(self._entries(1))
        if self.tokens:
            raise self._fault("this closes nothing" if self._sees(")") else "a comma is wanted")
        return fields

    def _entries(self, depth: int) -> list[_Entry]:
        entries = [self._entry(depth)]
        while self._takes(","):
            entries.append(self._entry(depth))
        return entries

    def _entry(self, depth: int) -> _Entry:
        is_marked = self._takes("!")
        name = self._name(depth)
        inside = self._inside(depth + 1)
        return _Entry(name, inside or EVERYTHING, is_plain=inside is None, is_marked=is_marked)

    def _name(self, depth: int) -> str:
        if not self.tokens or not self.tokens[-1]["name"]:
            raise self._fault("a name is wanted")
        if depth > MOST_DEPTH:
            raise self._fault(f"names are nested deeper than {MOST_DEPTH}")
        return self.tokens.pop()[0]

    def _inside(self, depth: int) -> Fields | None:
        """What follows a name, if anything does."""
        if self._takes("."):
            name = self._name(depth)
            return Fields({name: self._inside(depth + 1) or EVERYTHING}, others=False)
        if not self._takes("("):
            return None
        fields = _grouped([] if self._sees(")") else self._entries(depth))
        if not self._takes(")"):
            raise self._fault("a comma is wanted" if self.tokens else "a parenthesis is not closed")
        return fields

    def _sees(self, mark: str) -> bool:
        return bool(self.tokens) and self.tokens[-1][0] == mark

    def _takes(self, mark: str) -> bool:
        found = self._sees(mark)
        if found:
            self.tokens.pop()
        return found

    def _fault(self, fault: str) -> InvalidFields:
        at = self.tokens[-1].start() if self.tokens else len(self.text)
        return InvalidFields(at + 1, fault)


def _grouped(entries: Sequence[_Entry]) -> Fields:
    named = _union([entry.fields for entry in entries if not entry.is_marked])
    if not any(entry.is_marked for entry in entries):
        return named
    hidden = _union([entry.fields for entry in entries if entry.is_marked or entry.is_plain])
    return _without(_fields(named.inside.items(), others=True), hidden)


def _fields(inside: Iterable[tuple[str, Fields | None]], *, others: bool) -> Fields:
    """Leave out of *inside* what goes without saying."""
    unsaid = EVERYTHING if others else None
    return Fields({name: fields for name, fields in inside if fields != unsaid}, others=others)


def _union(several: Sequence[Fields]) -> Fields:
    if len(several) == 1:
        return several[0]
    open_ones = [fields for fields in several if fields.others]
    inside: dict[str, list[Fields]] = defaultdict(list)
    for fields in several:
        for name, shown in fields.inside.items():
            inside[name] += [shown] if shown else []
    return _fields(
        (
            (name, _union(shown) if shown else None)
            for name, shown in inside.items()
            if all(name in fields.inside for fields in open_ones)  # ends where one shows it whole
        ),
        others=bool(open_ones),
    )


def _without(shown: Fields, hidden: Fields) -> Fields:
    names = {**shown.inside, **hidden.inside}
    return _fields(
        ((name, _rest(shown.of(name), hidden.of(name))) for name in names),
        others=shown.others and not hidden.others,
    )


def _rest(shown: Fields | None, hidden: Fields | None) -> Fields | None:
    if shown is None or hidden is None:
        return shown
    return None if hidden == EVERYTHING else _without(shown, hidden)
