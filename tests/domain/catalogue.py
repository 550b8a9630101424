"""Items of the catalogue for tests: right ones, and what Hypothesis draws."""

from typing import Any

from hypothesis import strategies as st

from domain.catalogue import AlbumType, EntityKind
from domain.ids import BASE62
from domain.markets import MARKETS
from domain.recording_codes import check_digit

ARTIST: dict[str, Any] = {
    "id": "4gzpq5DPGxSnKTe4SA8HAU",
    "name": "Coldplay",
    "genres": ["permanent wave", "pop"],
    "images": [{"url": "https://images.example/coldplay.jpg", "width": 640, "height": 640}],
    "popularity": 90,
}
ALBUM: dict[str, Any] = {
    "id": "0RHX9XECH8IVI3LNgWDpmQ",
    "name": "A Rush of Blood to the Head",
    "artists": [ARTIST["id"]],
    "album_type": "album",
    "release_date": "2002-08-27",
    "upc": "724354050428",
    "label": "Parlophone UK",
    "genres": [],
    "images": [{"url": "https://images.example/rush.jpg"}],
    "popularity": 85,
    "available_markets": ["AT", "DE", "GB"],
}
TRACK: dict[str, Any] = {
    "id": "75JFxkI2RXiU7L9VXzMkle",
    "name": "The Scientist",
    "artists": [ARTIST["id"]],
    "album": ALBUM["id"],
    "duration_ms": 309_600,
    "disc_number": 1,
    "track_number": 4,
    "explicit": False,
    "isrc": "GBAYE0200771",
    "genres": ["permanent wave"],
    "popularity": 88,
    "available_markets": ["AT", "DE", "GB"],
}
RIGHT = {EntityKind.ARTIST: ARTIST, EntityKind.ALBUM: ALBUM, EntityKind.TRACK: TRACK}

ids = st.text(BASE62, min_size=1, max_size=22)
names = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=40).filter(str.strip)
codes = st.from_regex(r"[A-Z]{2}-?[A-Z0-9]{3}-?[0-9]{2}-?[0-9]{5}", fullmatch=True)
barcodes = st.from_regex(r"[0-9]{11}|[0-9]{12}", fullmatch=True).map(
    lambda digits: digits + check_digit(digits)
)
dates = st.dates().map(str).flatmap(lambda day: st.sampled_from([day[:4], day[:7], day]))
images = st.fixed_dictionaries(
    {"url": st.from_regex(r"https?://[!-~]{1,20}", fullmatch=True)},
    optional={"width": st.none() | st.integers(1, 9_999), "height": st.integers(1, 9_999)},
)
ARTISTS = {
    "genres": st.lists(names.filter(lambda text: len(text.encode()) <= 64), max_size=4),
    "images": st.lists(images, max_size=3),
    "popularity": st.integers(0, 100),
}
MARKETED = {"available_markets": st.lists(st.sampled_from(sorted(MARKETS)), unique=True)}
ALBUMS = ARTISTS | MARKETED | {
    "album_type": st.sampled_from([str(kind) for kind in AlbumType]),
    "release_date": dates,
    "upc": barcodes,
    "label": names,
}  # fmt: skip
TRACKS = MARKETED | {
    "genres": ARTISTS["genres"],
    "popularity": ARTISTS["popularity"],
    "album": ids,
    "duration_ms": st.integers(1, 10_000_000),
    "disc_number": st.integers(1, 20),
    "track_number": st.integers(1, 500),
    "explicit": st.booleans(),
    "isrc": codes,
}
_optional = {EntityKind.ARTIST: ARTISTS, EntityKind.ALBUM: ALBUMS, EntityKind.TRACK: TRACKS}


def items(kind: EntityKind) -> st.SearchStrategy[dict[str, Any]]:
    """Draw items of a kind that are right; null stands for missing."""
    required: dict[str, Any] = {"id": ids, "name": names}
    if kind is not EntityKind.ARTIST:
        required["artists"] = st.lists(ids, min_size=1, max_size=4, unique=True)
    optional = {name: st.none() | values for name, values in _optional[kind].items()}
    return st.fixed_dictionaries(required, optional=optional)
