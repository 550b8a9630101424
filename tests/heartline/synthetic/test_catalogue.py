from collections.abc import Iterator

import pytest

from domain.catalogue import Entity
from domain.catalogue_faults import is_catalogue_id
from domain.catalogue_ids import artist_id
from domain.ids import BASE62_LENGTH
from domain.recording_codes import is_barcode, isrc_of
from domain.release_dates import is_release_date
from heartline.synthetic.catalogue import Block, synthetic_catalogue
from heartline.synthetic.names import LANGUAGES, artist_name

TRACKS = 15_000


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    return list(synthetic_catalogue(TRACKS, seed=7))


def entities(blocks: list[Block]) -> Iterator[Entity]:
    for block in blocks:
        yield from block.artists
        yield from block.albums
        yield from block.tracks


def test_there_are_as_many_tracks_as_asked_for(blocks: list[Block]) -> None:
    assert sum(len(block.tracks) for block in blocks) == TRACKS
    assert len(blocks) > 1


def test_a_smaller_catalogue_is_the_beginning_of_a_larger_one(blocks: list[Block]) -> None:
    (smaller,) = synthetic_catalogue(100, seed=7)

    assert smaller.tracks == blocks[0].tracks[:100]
    assert {track.album for track in smaller.tracks} == {album.id for album in smaller.albums}


def test_another_seed_is_another_catalogue(blocks: list[Block]) -> None:
    (other,) = synthetic_catalogue(100, seed=8)

    assert {track.id for track in other.tracks}.isdisjoint(track.id for track in blocks[0].tracks)
    assert [track.isrc[2:5] for track in other.tracks] != [
        track.isrc[2:5] for track in blocks[0].tracks[:100]
    ]


def test_no_two_are_the_same(blocks: list[Block]) -> None:
    made = list(entities(blocks))
    isrcs = [track.isrc for block in blocks for track in block.tracks]

    assert len({(one.kind, one.id) for one in made}) == len(made)
    assert len(set(isrcs)) == len(isrcs)


def test_what_is_named_is_in_the_same_block(blocks: list[Block]) -> None:
    for block in blocks:
        artists = {artist.id for artist in block.artists}
        assert {track.album for track in block.tracks} <= {album.id for album in block.albums}
        assert {each for track in block.tracks for each in track.artists} <= artists
        assert {each for album in block.albums for each in album.artists} <= artists


def test_all_of_it_is_as_a_catalogue_wants_it(blocks: list[Block]) -> None:
    for block in blocks:
        assert all(isrc_of(track.isrc) == track.isrc for track in block.tracks)
        assert all(track.duration_ms > 0 and track.track_number > 0 for track in block.tracks)
        assert all(is_barcode(album.upc) for album in block.albums)
        assert all(is_release_date(album.released) for album in block.albums)
    for one in entities(blocks):
        assert is_catalogue_id(one.id)
        assert len(one.id) == BASE62_LENGTH
        assert one.name == one.name.strip() != ""
        assert 0 <= one.popularity <= 100


def test_few_are_popular(blocks: list[Block]) -> None:
    ranked = sorted((one.popularity for one in entities(blocks)), reverse=True)

    assert ranked[len(ranked) // 2] < 10
    assert ranked[len(ranked) // 100] > 35


def test_titles_are_shared_and_have_versions(blocks: list[Block]) -> None:
    tracks = [track for block in blocks for track in block.tracks]
    names = [track.name for track in tracks]

    assert TRACKS // 2 < len(set(names)) < TRACKS
    for version in ("(feat. ", " Remix", " - Live at ", "Remaster", "Radio Edit", "(Interlude)"):
        assert any(version in name for name in names)
    assert any(len(track.artists) == 2 for track in tracks)


def test_every_language_is_sung(blocks: list[Block]) -> None:
    genres = {genre for one in entities(blocks) for genre in one.genres}

    assert sum(language.share for language in LANGUAGES) == 100
    assert all(genres & set(language.genres) for language in LANGUAGES)


def test_no_two_of_very_many_artists_have_the_same_name() -> None:
    numbers = [*range(30_000), *range(1_000_000, 1_010_000)]

    assert len({artist_id(artist_name(number)) for number in numbers}) == len(numbers)
