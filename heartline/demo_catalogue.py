"""The demo's catalogue: artists, albums and tracks that nobody ever heard, out of a small grammar."""

import random
from collections.abc import Iterator
from typing import NamedTuple

from domain.catalogue import Album, Artist, Track
from domain.catalogue_ids import album_id, artist_id, track_id
from domain.units import SECOND_MS
from heartline.synthetic.language import plural

ARTISTS = 36
ALBUMS_EACH = (1, 2)
TRACKS_EACH = (5, 8)
LENGTH_S = (130, 310)
YEARS = (1994, 2025)

ADJECTIVES = (
    "Amber", "Borrowed", "Copper", "Distant", "Early", "Feral", "Gentle", "Hollow", "Idle", "Late",
    "Lunar", "Marble", "Northern", "Open", "Paper", "Quiet", "Restless", "Salt", "Second", "Silver",
    "Slow", "Tidal", "Velvet", "Winter",
)  # fmt: skip
NOUNS = (
    "Antenna", "Balcony", "Cartographer", "Delta", "Ember", "Ferry", "Garden", "Harbour", "Index",
    "Kite", "Lantern", "Meridian", "Notebook", "Orchard", "Parade", "Quarry", "River", "Satellite",
    "Telegram", "Umbrella", "Viaduct", "Window", "Yarrow", "Zenith",
)  # fmt: skip
VERBS = (
    "Leaving",
    "Counting",
    "Folding",
    "Humming",
    "Missing",
    "Painting",
    "Tracing",
    "Waiting for",
)
SYLLABLES = ("ka", "lo", "mi", "ren", "sa", "tor", "ve", "yu", "bel", "dri", "no", "zhe", "ö", "né")


class DemoCatalogue(NamedTuple):
    """Who and what there is in the demo."""

    artists: list[Artist]
    albums: list[Album]
    tracks: list[Track]


def demo_catalogue(seed: str) -> DemoCatalogue:
    """Make the catalogue; the same for the same *seed*, a few hundred tracks."""
    rng = random.Random(f"{seed}:catalogue")  # noqa: S311 (names, not secrets)
    made = DemoCatalogue([], [], [])
    for artist in dict.fromkeys(_artist(rng) for _ in range(ARTISTS)):
        made.artists.append(Artist(artist_id(artist), artist))
        for album in dict.fromkeys(_album(rng) for _ in range(rng.randint(*ALBUMS_EACH))):
            released = str(rng.randint(*YEARS))
            own = (artist_id(artist),)
            made.albums.append(Album(album_id(artist, album), album, own, released=released))
            made.tracks.extend(_tracks(rng, artist, album))
    return made


def _tracks(rng: random.Random, artist: str, album: str) -> Iterator[Track]:
    titles = dict.fromkeys(_title(rng) for _ in range(rng.randint(*TRACKS_EACH)))
    for number, title in enumerate(titles, start=1):
        yield Track(
            track_id(artist, album, title, 1, number),
            title,
            (artist_id(artist),),
            album_id(artist, album),
            duration_ms=rng.randint(*LENGTH_S) * SECOND_MS,
            track_number=number,
        )


def _artist(rng: random.Random) -> str:
    name = "".join(rng.sample(SYLLABLES, rng.randint(2, 3))).capitalize()
    forms = (
        f"The {rng.choice(ADJECTIVES)} {plural(rng.choice(NOUNS))}",
        f"{name} {''.join(rng.sample(SYLLABLES, 2)).capitalize()}",
        f"{rng.choice(NOUNS)} & {rng.choice(NOUNS)}",
        name,
    )
    return rng.choice(forms)


def _album(rng: random.Random) -> str:
    return rng.choice((_title(rng), f"{rng.choice(NOUNS)} {rng.choice(('I', 'II', 'Live', 'EP'))}"))


def _title(rng: random.Random) -> str:
    forms = (
        f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}",
        f"{rng.choice(VERBS)} the {rng.choice(NOUNS)}",
        f"{rng.choice(NOUNS)} of {plural(rng.choice(NOUNS))}",
        f"{rng.choice(VERBS)} {rng.choice(ADJECTIVES)} {plural(rng.choice(NOUNS))}",
    )
    return rng.choice(forms)
