"""The artists of a block of a synthetic catalogue."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.catalogue import Artist
from domain.catalogue_ids import artist_id
from heartline.synthetic.names import LANGUAGES, artist_name, language_of

ARTISTS = 512  # of a block
MEAN_FAME = 11.0  # of popularities, whose tail is exponential, as plays then have a power's
MOST_FAME = 100


@dataclass(frozen=True, slots=True)
class Artists:
    """Artists, and for each the place of its language and its popularity, unrounded."""

    entities: list[Artist]
    languages: NDArray[np.int_]
    fame: NDArray[np.float64]


def draw_artists(rng: np.random.Generator, block: int) -> Artists:
    """Draw the artists of a block."""
    numbers = range(block * ARTISTS, (block + 1) * ARTISTS)
    languages = [language_of(number) for number in numbers]
    fame = np.minimum(rng.exponential(MEAN_FAME, ARTISTS), MOST_FAME)
    known = fame.round().astype(int).tolist()
    entities = [
        _artist(artist_name(number), language, draws, popularity)
        for number, language, draws, popularity in zip(
            numbers, languages, rng.random((ARTISTS, 2)).tolist(), known, strict=True
        )
    ]
    return Artists(entities, np.array(languages), fame)


def _artist(name: str, language: int, draws: list[float], popularity: int) -> Artist:
    known = LANGUAGES[language].genres
    genres = tuple(dict.fromkeys(known[int(draw * len(known))] for draw in draws))
    return Artist(artist_id(name), name, genres=genres, popularity=popularity)
