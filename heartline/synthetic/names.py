"""Names of artists, albums and tracks that could be real, in many languages and scripts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heartline.synthetic.language import Language, plural, words
from heartline.synthetic.latin import (
    ENGLISH,
    FRENCH,
    GERMAN,
    POLISH,
    PORTUGUESE,
    SPANISH,
    TURKISH,
)
from heartline.synthetic.other_scripts import CHINESE, GREEK, HINDI, JAPANESE, KOREAN, RUSSIAN

LANGUAGES = (
    *(ENGLISH, SPANISH, PORTUGUESE, FRENCH, GERMAN, POLISH, TURKISH),
    *(RUSSIAN, GREEK, JAPANESE, KOREAN, CHINESE, HINDI),
)
VENUES = words(
    "the_Roundhouse Red_Rocks Montreux Budokan Wembley the_Fillmore Carnegie_Hall Glastonbury"
    " the_Apollo Madison_Square_Garden the_Olympia Rock_am_Ring"
)

# Every hundred artists have the same share of each language, in an order that hides it.
_SPOKEN = [place for place, one in enumerate(LANGUAGES) for _ in range(one.share)]
_ORDER = [_SPOKEN[at * 37 % 100] for at in range(100)]
_EARLIER = [_ORDER[:at].count(one) for at, one in enumerate(_ORDER)]
_KINDS = 4  # of artists: one a band, one with a name of one word, two with given and family names
_RARE = 0.06  # of words in titles, those that are made of syllables
_SYLLABLES = 3
_SCATTER = 7_919  # a prime, so that neighbours are not namesakes
_COMMON = 1.8  # how much more often a common word is drawn than a rare one


def language_of(artist: int) -> int:
    """Tell which of `LANGUAGES` the artist of a number sings in."""
    return _ORDER[artist % 100]


def artist_name(artist: int) -> str:
    """Name the artist of a number; no two have the same name."""
    language = LANGUAGES[language_of(artist)]
    hundreds, at = divmod(artist, 100)
    number = hundreds * language.share + _EARLIER[at]
    turn, kind = divmod(number, _KINDS)
    if kind == 0 and language.band:
        capacity = len(language.adjectives) * len(language.nouns)
        if turn < capacity:
            noun, adjective = divmod(turn * _SCATTER % capacity, len(language.adjectives))
            return language.band % (language.adjectives[adjective], plural(language.nouns[noun]))
    if kind == 1:
        # Languages share syllables: the number among all artists tells words of theirs apart.
        return _word(language.syllables, artist * _SCATTER)
    return _person(language, number)


def titles(rng: np.random.Generator, languages: NDArray[np.int_]) -> list[str]:
    """Draw a title in each of *languages*, places in `LANGUAGES`."""
    made = np.empty(len(languages), object)
    for place in np.unique(languages):
        language = LANGUAGES[place]
        where = np.flatnonzero(languages == place)
        weights = np.array([weight for weight, _, _ in language.titles], float)
        forms = rng.choice(len(weights), len(where), p=weights / weights.sum())
        for form in np.unique(forms):
            drawn = where[forms == form]
            made[drawn] = _filled(rng, language, form, len(drawn))
    return made.tolist()


def _person(language: Language, number: int) -> str:
    given, family = len(language.given), len(language.family)
    turn, base = divmod(number, given * family)
    first, last = divmod(base * _SCATTER % (given * family), family)
    seconds, more = divmod(turn, len(language.more) + 1)
    name = language.given[first]
    while seconds:  # a second given name, a third, as many as it takes
        seconds, second = divmod(seconds - 1, given)
        name += f" {language.given[second]}"
    if more:
        name += f" {language.more[more - 1]}"
    if language.is_family_first:
        return f"{language.family[last]}{name}"
    return f"{name} {language.family[last]}"


def _word(syllables: Sequence[str], number: int) -> str:
    """Make a word of a number, others of others, of as many syllables as that takes."""
    made: list[str] = []
    while number or len(made) < _SYLLABLES:
        number, digit = divmod(number, len(syllables))
        made.append(syllables[digit])
    return "".join(made).capitalize()


def _filled(rng: np.random.Generator, language: Language, form: Any, count: int) -> Sequence[str]:
    _, text, wanted = language.titles[form]
    kinds = {"n": language.nouns, "a": language.adjectives, "v": language.verbs}
    columns = [_drawn(rng, kinds[kind], language.syllables, count) for kind in wanted]
    return [text % filling for filling in zip(*columns, strict=True)]


def _drawn(
    rng: np.random.Generator, words: Sequence[str], syllables: Sequence[str], count: int
) -> Sequence[str]:
    places = (rng.random(count) ** _COMMON * len(words)).astype(int)
    drawn = [words[place] for place in places.tolist()]
    for rare in np.flatnonzero(rng.random(count) < _RARE).tolist():
        drawn[rare] = _word(syllables, int(rng.integers(len(syllables) ** _SYLLABLES)))
    return drawn
