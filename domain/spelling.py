"""What was probably meant by words that nobody has."""

from collections.abc import Sequence

from rapidfuzz.distance import OSA

from domain.lookups import edits_of
from domain.words import is_unspaced


def did_you_mean(words: Sequence[str], similar: Sequence[Sequence[tuple[str, int]]]) -> str | None:
    """Put the likeliest known word in the place of each that is not known; None: nothing is better.

    *similar* are, for each of *words*, known ones that are near, itself too, with how many have them.
    """
    if any(map(is_unspaced, words)):
        return None
    meant = [_meant(word, known) for word, known in zip(words, similar, strict=True)]
    return None if meant == list(words) else " ".join(meant)


def _meant(word: str, known: Sequence[tuple[str, int]]) -> str:
    if any(other == word for other, _ in known):
        return word
    near = [(OSA.distance(word, other), -count, other) for other, count in known]
    forgiven = [one for one in near if one[0] <= edits_of(word)]
    return min(forgiven)[2] if forgiven else word
