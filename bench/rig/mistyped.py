"""What people make of a name when they type it."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from random import Random
from string import ascii_lowercase

Edit = Callable[[Random, str], str]

_LETTERS = re.compile(r"[^\W\d_]+")
_SHORTEST, _LONG = (
    4,
    8,
)  # letters of a word in which one error is made, and in which there may be two


def misspelt(random: Random, text: str) -> str | None:
    """Make an error in one word of four letters and more, sometimes two in one of eight; None: it has none."""
    words = [word for word in _LETTERS.finditer(text) if len(word[0]) >= _SHORTEST]
    if not words:
        return None
    word = random.choice(words)
    wrong = _edited(random, word[0])
    if len(wrong) >= _LONG and random.random() < 0.5:
        wrong = _edited(random, wrong)
    return f"{text[: word.start()]}{wrong}{text[word.end() :]}"


def unmarked(text: str) -> str:
    """Type a name on a keyboard without its marks and special letters, in small letters."""
    plain = text.translate(
        str.maketrans({"ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ß": "ss", "ł": "l"})
    )
    decomposed = unicodedata.normalize("NFKD", plain)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower()


def respaced(random: Random, text: str) -> str | None:
    """Leave out a space, or what stands inside of words, or put it in another way; None: nothing to do."""
    ways = [way(text) for way in _RESPACED]
    ways = [way for way in ways if way != text]
    return random.choice(ways) if ways else None


def partial(random: Random, title: str) -> str | None:
    """Leave out a word of a title of three and more, or type its last one in part; None: it is too short."""
    words = title.split()
    if len(words) < 3:
        return None
    if len(words[-1]) > 4 and random.random() < 0.5:
        return f"{' '.join(words[:-1])} {words[-1][:3]}"
    del words[random.randrange(len(words))]
    return " ".join(words)


def _edited(random: Random, word: str) -> str:
    at = random.randrange(1, len(word) - 1)  # hardly anybody errs in the first letter
    return random.choice(_EDITS)(random, word[at:]).join((word[:at], ""))


def _left_out(_: Random, rest: str) -> str:
    return rest[1:]


def _twice(_: Random, rest: str) -> str:
    return rest[0] + rest


def _another(random: Random, rest: str) -> str:
    return random.choice(ascii_lowercase) + rest[1:]


def _swapped(_: Random, rest: str) -> str:
    return rest[1] + rest[0] + rest[2:]


_EDITS: Sequence[Edit] = (_left_out, _twice, _another, _swapped)
_RESPACED: Sequence[Callable[[str], str]] = (
    lambda text: text.replace(" ", "", 1),
    lambda text: re.sub(r"(?<=\w)[-'’./&](?=\w)", "", text),
    lambda text: re.sub(r"(?<=\w)[-.](?=\w)", " ", text),
    lambda text: text.replace("&", "and"),
    lambda text: re.sub(r"[!?.,:;]", "", text),
)
