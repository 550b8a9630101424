"""What somebody typed as a query, by the syntax of Spotify's search.

    one more time artist:"daft punk" year:1990-2005

A filter's value is one quoted phrase, or everything up to the next filter or phrase; of ``year``,
``isrc``, ``upc`` and ``tag`` it is one word. What breaks these rules is text, and is searched for.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.recording_codes import is_barcode, isrc_of
from domain.search import Query
from domain.words import words

QUERY_WORDS = 16
QUERY_CHARACTERS = 1024

_MARK = re.compile(
    r'["“”„](?P<phrase>[^"“”„]*)["“”„]'
    r'|(?<![^\s"“”„])(?P<key>artist|album|track|genre|year|isrc|upc|tag):',
    re.IGNORECASE,
)
_UNBALANCED = str.maketrans(dict.fromkeys('"“”„', " "))
_YEARS = re.compile(r"([0-9]{4})(?:-([0-9]{4}))?")


def parse(text: str) -> Query:
    """Read a query; of its words, of filters too, the first 16 count. Words of phrases are in no other."""
    parsing = _Parsing()
    for key, value, is_phrase in _pieces(text[:QUERY_CHARACTERS]):
        parsing.take(key, value, is_phrase=is_phrase)
    return parsing.query()


def _pieces(text: str) -> Iterator[tuple[str, str, bool]]:
    """Cut into (key of a filter or "", value, whether it is a phrase)."""
    key, at = "", 0
    for mark in _MARK.finditer(text):
        run, at = text[at : mark.start()], mark.end()
        if run.strip() or mark["key"]:
            yield key, run, False
            key = ""
        if mark["key"]:
            key = mark["key"].lower()
        else:
            yield key, mark["phrase"], True
            key = ""
    yield key, text[at:], False


def _years(value: str) -> tuple[int, int] | None:
    years = _YEARS.fullmatch(value)
    if not years:
        return None
    first = int(years[1])
    last = int(years[2] or first)
    return min(first, last), max(first, last)


_FACTS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "year": ("years", _years),
    "isrc": ("isrc", isrc_of),
    "upc": ("upc", lambda value: value if is_barcode(value) else None),
    "tag": ("is_new", lambda value: value.lower() == "new"),
}


@dataclass
class _Parsing:
    words: dict[str, list[str]] = field(default_factory=dict)
    phrases: list[tuple[str, ...]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    left: int = QUERY_WORDS

    def take(self, key: str, value: str, *, is_phrase: bool) -> None:
        if key in _FACTS:
            key, value = self._after_fact(key, value)
        found = self._counted(value)
        if key and not found:
            key, found = "", self._counted(key)
        if is_phrase and not key and len(found) > 1:
            self.phrases.append(found)
        else:
            self.words.setdefault(key or "words", []).extend(found)

    def query(self) -> Query:
        found = {name: tuple(found) for name, found in self.words.items()}
        if "words" in found:  # punctuation is a word only where there is no other, in any piece
            found["words"] = words(" ".join(found["words"]))
        return Query(**(self.facts | found), phrases=tuple(self.phrases))

    def _after_fact(self, key: str, value: str) -> tuple[str, str]:
        """Note the fact that *value* begins with, and leave the text behind it, or all of it."""
        name, read = _FACTS[key]
        first, _, rest = value.strip().partition(" ")
        fact = read(first)
        if not fact:
            return "", f"{key} {value}"
        self.facts[name] = fact
        return "", rest

    def _counted(self, value: str) -> tuple[str, ...]:
        found = words(value.translate(_UNBALANCED))[: self.left]
        self.left -= len(found)
        return found
