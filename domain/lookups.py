"""What an engine looks for, whichever it is: what is forgiven, and where a filter looks."""

from collections.abc import Iterable, Sequence

from domain.catalogue import EntityKind
from domain.search import Query
from domain.units import DAY_MS
from domain.words import words

ONE_EDIT, TWO_EDITS = 4, 8  # letters of a word from which so many are forgiven
MOST_LETTERS = (
    24  # of a word that may be misspelt: looking for it takes the longer, the longer it is
)
MOST_FORGIVEN = 8  # words of a query, each of which costs milliseconds
MOST_GLUED = 3
RARE = 3  # a word that fewer entries have may be a typing error
ENOUGH = 3  # with so many candidates nobody asks whether it is one
BEGUN = 0.5  # what a word that is only begun scores; a whole one scores from about 1 to 12
SIMILAR_EDITS = 2
NEW_MS = 14 * DAY_MS
FILTERED = {  # what `artist:`, `album:` and `track:` look at, of each kind
    EntityKind.ARTIST: {"artist": "name"},
    EntityKind.ALBUM: {"artist": "artist", "album": "name"},
    EntityKind.TRACK: {"artist": "artist", "album": "album", "track": "name"},
}


def edits_of(word: str) -> int:
    """Tell how many wrong letters are forgiven in a word."""
    return (len(word) >= ONE_EDIT) + (len(word) >= TWO_EDITS)


def is_forgiven(word: str) -> bool:
    """Whether a word is looked for with typing errors as well."""
    return edits_of(word) > 0 and len(word) <= MOST_LETTERS


def longest(words: Iterable[str]) -> set[str]:
    """Choose those that are most likely to have a typing error: looking for all of them takes too long."""
    return set(sorted(words, key=lambda word: (-len(word), word))[:MOST_FORGIVEN])


def spellings(words: Sequence[str], at: int) -> list[str]:
    """Tell what may stand for a word: itself, or itself glued to its neighbours."""
    spans = [
        (begin, begin + size)
        for size in range(1, MOST_GLUED + 1)
        for begin in range(at - size + 1, at + 1)
        if begin >= 0 and begin + size <= len(words)
    ]
    return list(dict.fromkeys("".join(words[begin:end]) for begin, end in spans))


def asked_of(query: Query, kind: EntityKind) -> dict[str, Sequence[str]] | None:
    """Tell the words that names of a kind shall have, by the name's field.

    None: the query asks for nothing, or for what entities of this kind do not have.
    """
    asked = {"artist": query.artist, "album": query.album, "track": query.track}
    wanted = {name: found for name, found in asked.items() if found}
    fields = FILTERED[kind]
    if query == Query() or not wanted.keys() <= fields.keys():
        return None
    return {fields[name]: found for name, found in wanted.items()}


def exact(code: str) -> str:
    """Write a code as it is compared: without hyphens and spaces."""
    return code.lower() if code.isascii() and code.isalnum() else "".join(words(code))
