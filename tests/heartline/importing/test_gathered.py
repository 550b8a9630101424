from itertools import chain

import pytest
from msgspec.structs import replace

from domain.catalogue import EntityKind, Track
from domain.errors import Unavailable
from heartline.importing.entities import Said, said_by
from heartline.importing.gathered import Gathered, Told
from heartline.importing.rows import Row

ROW = Row("c.csv:2", "T", ("A",), id="1", album="L", genres=("pop",), popularity=5)


def said(*rows: Row) -> list[tuple[str, Said]]:
    return [(row.where, one) for row in rows if isinstance(one := said_by(row), Said)]


def told(gathered: Gathered, kind: EntityKind) -> list[Told]:
    return list(chain.from_iterable(gathered.batches(kind, 2)))


def test_rows_of_one_track_are_put_together_wherever_they_stand() -> None:
    with Gathered() as gathered:
        gathered.add(said(ROW, replace(ROW, where="c.csv:3", genres=("rock",), popularity=9)))
        gathered.add(said(replace(ROW, where="c.csv:4", title="other", duration_ms=7)))

        (track,) = told(gathered, EntityKind.TRACK)
        assert track.where == "c.csv:2"
        assert track.entity == replace(
            said(ROW)[0][1].track, genres=("pop", "rock"), popularity=9, duration_ms=7
        )
        assert gathered.size() == 3


def test_an_artist_is_as_popular_as_the_most_popular_track() -> None:
    rows = [replace(ROW, id=str(number), popularity=number) for number in (3, 70, 4)]
    with Gathered() as gathered:
        gathered.add(said(*rows))

        assert [one.entity.popularity for one in told(gathered, EntityKind.ARTIST)] == [70]
        assert [one.entity.popularity for one in told(gathered, EntityKind.ALBUM)] == [70]


def test_entities_come_in_the_order_of_their_ids() -> None:
    with Gathered() as gathered:
        gathered.add(said(*(replace(ROW, id=each) for each in "dbcae")))

        assert [one.entity.id for one in told(gathered, EntityKind.TRACK)] == list("abcde")


def test_an_isrc_of_another_track_is_a_fault() -> None:
    first = replace(ROW, isrc="USRC17607839")
    again, other = replace(first, where="c.csv:3"), replace(first, where="c.csv:4", id="2")
    with Gathered() as gathered:
        assert gathered.add(said(first, again)) == []
        (fault,) = gathered.add(said(other, replace(other, where="c.csv:5", isrc="")))

        assert (fault.where, fault.field, fault.reason) == ("c.csv:4", "isrc", "taken")
        assert [one.entity.id for one in told(gathered, EntityKind.TRACK)] == ["1", "2"]


@pytest.mark.parametrize("together", [True, False])
def test_an_isrc_that_its_track_does_not_keep_is_free_for_others(together: bool) -> None:
    first, second = "USRC17607839", "USRC17607840"
    rows = said(
        replace(ROW, isrc=first),
        replace(ROW, isrc=second),
        replace(ROW, isrc=second, id="2"),
        replace(ROW, isrc=first, id="3"),
    )
    with Gathered() as gathered:
        batches = [rows] if together else [[row] for row in rows]
        (fault,) = chain.from_iterable(gathered.add(batch) for batch in batches)

        assert fault.reason == "taken"
        tracks = [one.entity for one in told(gathered, EntityKind.TRACK)]
        assert [(one.id, one.isrc) for one in tracks if isinstance(one, Track)] == [
            ("1", first),
            ("2", second),
        ]


def test_without_room_nothing_is_imported() -> None:
    rows = said(*(replace(ROW, id=str(number), title="T" * 500) for number in range(200)))
    with Gathered() as gathered:
        gathered._database.execute("PRAGMA max_page_count = 8")

        with pytest.raises(Unavailable, match="in a temporary file: database or disk is full"):
            gathered.add(rows)
