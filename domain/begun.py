"""How well an entry goes on from what was typed of its name so far."""

from collections.abc import Sequence
from itertools import chain

from domain.search import Entry
from domain.words import words

WHOLE = 1.0  # nothing is left to type
BEGINS = 0.9  # the name begins so, spaces forgiven
WITHIN = 0.75  # a later word of it does
BESIDE = 0.65  # it does, with the words of its artists
MISSPELT = 0.4


def begun(typed: Sequence[str], entry: Entry) -> float:
    """Tell how well, 0 to 1; the last of the words *typed* need not be typed to its end."""
    if not typed:
        return MISSPELT
    name, artists = words(entry.name), tuple(chain.from_iterable(map(words, entry.artists)))
    if tuple(typed) == name:
        return WHOLE
    if "".join(name).startswith("".join(typed)):
        return BEGINS
    for known, worth in ((name, WITHIN), ((*name, *artists), BESIDE)):
        is_known = set(known).issuperset(typed[:-1])
        if is_known and any(word.startswith(typed[-1]) for word in known):
            return worth
    return MISSPELT
