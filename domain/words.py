"""The words of names and queries, as they are indexed and compared.

Names and queries go through the same functions, so whatever these forgive is forgiven everywhere:
case, marks, full width, apostrophes, the dots of T.N.T., the dollar of Ke$ha, the space of AC/DC.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import groupby

WORD_CHARACTERS = 64
MOST_WORDS = 128
MOST_CHARACTERS = 4096

_APOSTROPHES = tuple(
    map(ord, "\u2018\u2019\u201b\u2032\u00b4\u1ffd\u02b9\u02bb\u02bc\u02c8\u055a\uff07")
)
_ORNAMENTS = "™℠®©℗ـ"
# What no decomposition turns into plain letters, and apostrophes in all their shapes.
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i"}
    | {"ŋ": "n", "ŧ": "t", "ƒ": "f", "×": "x"}
    | dict.fromkeys(map(chr, _APOSTROPHES), "'")
    | dict.fromkeys(_ORNAMENTS)
)
# Classes of marks that make another letter: nukta, voiced kana, virama. 0 is no mark, or a vowel.
_LETTER_MAKING = frozenset({0, 7, 8, 9})
_INVISIBLE = frozenset({"Cf", "Cs", "Me"})  # formats, lone surrogates, enclosing marks
_VARIATIONS = re.compile("[\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef]")

# Thai, Lao; Myanmar; Hangul jamo; Khmer; kana; Han; Hangul; Han: written without spaces, or as if.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029"
    "\u3040-\u30ff\u3100-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_PLAIN = re.compile(rf"[A-Za-z0-9 ]{{0,{MOST_CHARACTERS}}}")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_STARS_INSIDE = re.compile(r"(?<=\w)\*+(?=\w)")
_ACRONYM = re.compile(r"(?<![^\W_])[^\W\d_](?:\.[^\W\d_])+(?![^\W_])")
_DOLLARS = re.compile(r"(?<=[a-z])\$+|\$(?=[a-z])")
_EXCLAIMED_I = re.compile(r"(?<=[bcdfghjklmnpqrstvwxz])!(?=[bcdfghjklmnpqrstvwxz])")
_AND = re.compile(r"&|(?<=\S\s)\+(?=\s\S)")


def fold(text: str) -> str:
    """Write *text* as all texts that read the same are written; spaces and punctuation stay."""
    plain = text if text.isascii() else text.translate(_latin())
    return plain.lower() if plain.isascii() else _fold(text)


def _fold(text: str) -> str:
    folded = _decomposed(text.translate(_LETTERS)).casefold()
    return unicodedata.normalize("NFKC", _decomposed(folded.translate(_LETTERS)).casefold())


@cache
def _latin() -> dict[int, str]:
    """Write letters of Latin scripts as they are folded, each by itself: most names have no others."""
    folded = {code: _fold(chr(code)) for code in (*range(0xA0, 0x250), *_APOSTROPHES)}
    return {code: letters for code, letters in folded.items() if letters.isascii()}


def words(text: str) -> tuple[str, ...]:
    """Split *text* into folded words; what is written without spaces into pairs of characters.

    Text without letters, digits and symbols is one word as it stands, so that "!!!" can be found.
    """
    if _PLAIN.fullmatch(text):
        return _limited(text.lower().split())
    text = text[:MOST_CHARACTERS]
    folded = fold(text)
    spelled = _spelled(folded)
    found = _found(spelled)
    if not found:
        seen = "".join(c for c in folded if c.isprintable() and c != " ")
        seen = seen or "".join(c for c in text if c in _ORNAMENTS)
        return (seen[:WORD_CHARACTERS],) if seen else ()
    if "&" in spelled or "+" in spelled:
        return _found(_AND.sub(" and ", spelled))
    return found


def joined(words: Sequence[str]) -> tuple[str, ...]:
    """Glue neighbouring words by two, by three, and all of them; pairs of characters are let be."""
    if "".join(words).isascii():
        return tuple(dict.fromkeys(_glued(words)))
    runs = groupby(words, key=is_unspaced)
    spaced = [list(run) for has_no_spaces, run in runs if not has_no_spaces]
    return tuple(dict.fromkeys(glued for run in spaced for glued in _glued(run)))


def is_unspaced(word: str) -> bool:
    """Whether a word is of a script that is written without spaces."""
    return _UNSPACED.match(word) is not None


def is_in_words(character: str) -> bool:
    """Whether a folded character is a part of words: a letter, a digit, a vowel sign, a symbol."""
    return _kind(character) != "between"


def _glued(run: Sequence[str]) -> list[str]:
    found = ["".join(run[at : at + 2]) for at in range(len(run) - 1)]
    if len(run) > 2:
        found += ["".join(run[at : at + 3]) for at in range(len(run) - 2)]
        found.append("".join(run))
    return [together for together in found if len(together) <= WORD_CHARACTERS]


def _limited(found: Sequence[str]) -> tuple[str, ...]:
    return tuple([word[:WORD_CHARACTERS] for word in found[:MOST_WORDS]])


def _decomposed(text: str) -> str:
    # Without marks first: sorting a long row of them takes the square of its length.
    decomposed = unicodedata.normalize("NFKD", "".join(filter(_is_kept, text)))
    return "".join(filter(_is_kept, decomposed))


@lru_cache(4096)
def _is_kept(character: str) -> bool:
    if _VARIATIONS.match(character) or unicodedata.category(character) in _INVISIBLE:
        return False
    return unicodedata.combining(character) in _LETTER_MAKING


def _spelled(folded: str) -> str:
    """Write as letters what stands for letters, and take out the marks inside of words."""
    if "." in folded:
        folded = _ACRONYM.sub(lambda acronym: acronym[0].replace(".", ""), folded)
    if "$" in folded:
        folded = _DOLLARS.sub(lambda dollars: "s" * len(dollars[0]), folded)
    if "!" in folded:
        folded = _EXCLAIMED_I.sub("i", folded)
    if "*" in folded:
        folded = _STARS_INSIDE.sub("", folded)
    return folded.replace("'", "")


def _found(spelled: str) -> tuple[str, ...]:
    if spelled.isascii():
        return _limited(_ASCII_WORD.findall(spelled))
    runs = ((kind, "".join(run)) for kind, run in groupby(spelled, key=_kind))
    return tuple(word for kind, run in runs for word in _of_run(kind, run))[:MOST_WORDS]


def _of_run(kind: str, run: str) -> Sequence[str]:
    match kind:
        case "word":
            return (run[:WORD_CHARACTERS],)
        case "unspaced":
            return [run[at : at + 2] for at in range(len(run) - 1)] or (run,)
        case "symbol":
            return run
        case _:
            return ()


@lru_cache(4096)
def _kind(character: str) -> str:
    if is_unspaced(character) and unicodedata.category(character)[0] in "LMN":
        return "unspaced"
    if character.isalnum() or unicodedata.category(character)[0] in "LMN":
        return "word"
    if not character.isascii() and unicodedata.category(character) in {"So", "Sm", "Co", "Cn"}:
        return "symbol"
    return "between"
