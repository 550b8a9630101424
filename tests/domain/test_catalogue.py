import msgspec
import pytest

from domain.catalogue import Album, AlbumType, Artist, Change, EntityKind, Removed, Track


@pytest.mark.parametrize(
    "change",
    [
        Artist("1", "Air"),
        Album("2", "Moon Safari", ("1",), type=AlbumType.SINGLE),
        Track("3", "La femme d'argent", ("1",), album="2", markets=()),
        Removed(EntityKind.TRACK, "3"),
    ],
    ids=lambda change: type(change).__name__,
)
def test_a_change_is_read_as_it_was_written(change: Change) -> None:
    written = msgspec.msgpack.encode(change)

    assert msgspec.msgpack.decode(written, type=Change) == change
