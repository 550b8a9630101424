"""The demo's catalogue: artists, albums and tracks that nobody ever heard, out of a small grammar."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from domain.ids import base62
from domain.units import SECOND_MS
from stores.titles import Track

ARTISTS = 36
ALBUMS_EACH = (1, 2)
TRACKS_EACH = (5, 8)
LENGTH_S = (130, 310)

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


@dataclass(frozen=True, slots=True)
class DemoTrack:
    """A track of the demo, and the context in which the crowd plays it."""

    track: Track
    context: str


def demo_tracks(seed: str) -> list[DemoTrack]:
    """Make the catalogue; the same for the same *seed*, a few hundred tracks."""
    rng = random.Random(f"{seed}:catalogue")  # noqa: S311 (names, not secrets)
    artists = dict.fromkeys(_artist(rng) for _ in range(ARTISTS))
    return [
        track
        for artist in artists
        for album in dict.fromkeys(_album(rng) for _ in range(rng.randint(*ALBUMS_EACH)))
        for track in _tracks(rng, artist, album)
    ]


def _tracks(rng: random.Random, artist: str, album: str) -> Iterator[DemoTrack]:
    album_id = _id("album", artist, album)
    for title in dict.fromkeys(_title(rng) for _ in range(rng.randint(*TRACKS_EACH))):
        length_ms = rng.randint(*LENGTH_S) * SECOND_MS
        track = Track(_id("track", artist, album, title), title, artist, album, length_ms)
        yield DemoTrack(track, f"heartline:album:{album_id}")


def _artist(rng: random.Random) -> str:
    name = "".join(rng.sample(SYLLABLES, rng.randint(2, 3))).capitalize()
    forms = (
        f"The {rng.choice(ADJECTIVES)} {_plural(rng.choice(NOUNS))}",
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
        f"{rng.choice(NOUNS)} of {_plural(rng.choice(NOUNS))}",
        f"{rng.choice(VERBS)} {rng.choice(ADJECTIVES)} {_plural(rng.choice(NOUNS))}",
    )
    return rng.choice(forms)


def _plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("x") else f"{noun}s"


def _id(*names: str) -> str:
    return base62(sha256("\0".join(("demo", *names)).encode()).digest()[:16])
