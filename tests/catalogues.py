"""What Hypothesis draws of the catalogue: few ids, so that changes meet; and all that a field may hold."""

from hypothesis import strategies as st

from domain.catalogue import Album, AlbumType, Artist, Change, EntityKind, Image, Removed, Track
from stores.catalogue import Catalogue

IDS = ("a", "b", "c")

names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
ids = st.sampled_from(IDS)
few_ids = st.lists(ids, max_size=3).map(tuple)
genres = st.lists(names, max_size=2).map(tuple)
markets = st.none() | st.lists(st.sampled_from(["DE", "IN", "US"]), max_size=3).map(tuple)
popularity = st.integers(0, 100)
sizes = st.none() | st.integers(0, 2_000)
images = st.lists(st.builds(Image, names, sizes, sizes), max_size=2).map(tuple)
dates = st.sampled_from(["", "1991", "1991-09", "1991-09-24"])

artists = st.builds(Artist, ids, names, genres, images, popularity)
albums = st.builds(
    Album,
    ids,
    names,
    few_ids,
    st.sampled_from(AlbumType),
    dates,
    st.sampled_from(["", "00602527336541"]),
    st.just("") | names,
    genres,
    images,
    popularity,
    markets,
)
tracks = st.builds(
    Track,
    ids,
    names,
    few_ids,
    st.just("") | ids,
    st.integers(0, 600_000),
    st.integers(1, 2),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(["", "USRC17607839"]),
    genres,
    popularity,
    markets,
)
removals = st.builds(Removed, st.sampled_from(EntityKind), ids)
changes: st.SearchStrategy[Change] = st.one_of(artists, albums, tracks, tracks, removals)

short_names = st.sampled_from(["Nina", "Blues", "Sinnerman"])
moves: st.SearchStrategy[Change] = st.one_of(  # what matters where only places and names change
    st.builds(Artist, ids, short_names),
    st.builds(Album, ids, short_names, few_ids),
    st.builds(Track, ids, short_names, few_ids, st.just("") | ids, disc_number=st.integers(1, 2)),
    removals,
)
batches = st.lists(moves, min_size=1, max_size=3)


async def shown(catalogue: Catalogue) -> tuple[object, ...]:
    """Tell all that can be read of the entities that there may be, and up to where it goes."""
    return (
        [await catalogue.held(kind, IDS) for kind in EntityKind],
        [await catalogue.album_tracks(each) for each in IDS],
        [await catalogue.artist_albums(each) for each in IDS],
        [await catalogue.artist_tracks(each) for each in IDS],
        await catalogue.position(),
    )
