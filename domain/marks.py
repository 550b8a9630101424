"""Which letters of a name match what was typed."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rapidfuzz.distance import OSA

from domain.lookups import edits_of
from domain.words import MOST_CHARACTERS, fold, is_in_words, is_unspaced

_SPELLED = {"&": "and", "$": "s"}
_SILENT = frozenset("'*")
_VOICED = "\uff9e\uff9f"  # the marks of half-width kana


class _Letter(NamedTuple):
    folded: str
    begin: int  # of what it folds, in the name
    end: int
    starts_word: bool


def marks(name: str, typed: Sequence[str]) -> list[tuple[int, int]]:
    """Tell [begin, end) of what matches the words *typed*, in code points of *name*, from left to right.

    A word matches where one begins, and where another match ends, up to the edits that are forgiven.
    """
    letters = list(_letters(name[:MOST_CHARACTERS]))
    text = "".join(letter.folded for letter in letters)
    starts = [at for at, letter in enumerate(letters) if letter.starts_word]
    found = []
    for word in typed:
        matches = _exact(text, word, starts) or _misspelt(text, word, starts)
        starts = sorted({*starts, *(end for _, end in matches)})
        found += [(letters[begin].begin, letters[end - 1].end) for begin, end in matches]
    return _merged(sorted(found))


def _letters(name: str) -> Iterator[_Letter]:
    is_start = True
    for begin, end in _characters(name):
        folded = fold(name[begin:end])
        spelled = _SPELLED.get(folded, folded)
        is_start = is_start or folded == "&" or is_unspaced(folded)
        for letter in spelled:
            if is_in_words(letter):
                yield _Letter(letter, begin, end, is_start)
                is_start = False
            elif letter not in _SILENT:
                is_start = True


def _characters(name: str) -> Iterator[tuple[int, int]]:
    """Cut into characters with the marks that follow them."""
    begin = 0
    for at in range(1, len(name) + 1):
        if at == len(name) or not (unicodedata.combining(name[at]) or name[at] in _VOICED):
            yield begin, at
            begin = at


def _exact(text: str, word: str, starts: Sequence[int]) -> list[tuple[int, int]]:
    return [(at, at + len(word)) for at in starts if word and text.startswith(word, at)]


def _misspelt(text: str, word: str, starts: Sequence[int]) -> list[tuple[int, int]]:
    edits = edits_of(word)
    near = (min(_beginnings(text, word, at, edits)) for at in starts) if edits else ()
    return [(at, end) for wrong, at, end in near if wrong <= edits]


def _beginnings(text: str, word: str, at: int, edits: int) -> Iterator[tuple[int, int, int]]:
    for size in range(len(word) - edits, len(word) + edits + 1):
        end = min(at + size, len(text))
        yield OSA.distance(word, text[at:end], score_cutoff=edits), at, end


def _merged(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in ranges:
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged
