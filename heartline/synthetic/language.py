"""A language of a synthetic catalogue: its words, and how titles and names are made of them.

Words are ordered from common to rare, since common ones are drawn more often, as in real catalogues.
"""

from msgspec import Struct


class Language(Struct, frozen=True, kw_only=True):
    """A language of a synthetic catalogue.

    A title is a form, whose places are filled in turn with a noun (n), an adjective (a) or a verb (v).
    """

    share: int  # of 100 artists
    country: str  # of its ISRCs
    nouns: tuple[str, ...]
    adjectives: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    titles: tuple[tuple[int, str, str], ...]  # weight, form, what its places want
    given: tuple[str, ...]
    family: tuple[str, ...]
    more: tuple[str, ...] = ()  # for those whom given and family name do not tell apart
    is_family_first: bool = False
    band: str = ""  # a form as well, of an adjective and a noun
    genres: tuple[str, ...]
    syllables: tuple[str, ...]  # of words that stand in no list, as most words do


def words(text: str) -> tuple[str, ...]:
    """Split a list of words; an underscore is a space."""
    return tuple(word.replace("_", " ") for word in text.split())


def plural(noun: str) -> str:
    """Write an English noun as several of it."""
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("x", "s", "ch", "sh")) else f"{noun}s"
