from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from heartline.importing.columns import UnreadableCatalogue
from heartline.importing.rows import Fault, Row
from heartline.importing.sources import rows_of


def written(path: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_rows_are_read_by_the_names_of_columns(tmp_path: Path) -> None:
    path = written(
        tmp_path / "c.parquet",
        {
            "noise": [1, 2],
            "artist": pa.array(["A|B", "A"]).dictionary_encode(),
            "track_name": ["T", "U"],
            "duration_ms": [61_000.0, None],
            "explicit": [True, None],
            "popularity": pa.array([7, None], pa.int8()),
        },
    )

    assert list(rows_of(path, {"title": "track_name"})) == [
        Row(
            f"{path}: row 1",
            "T",
            ("A", "B"),
            duration_ms=61_000,
            is_explicit=True,
            popularity=7,
        ),
        Row(f"{path}: row 2", "U", ("A",)),
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (date(1999, 12, 31), "1999-12-31"),
        (datetime(1999, 12, 31, 23, 59, tzinfo=UTC), "1999-12-31"),
        pytest.param(1999, "1999", id="a number"),
        pytest.param(1999.0, "1999", id="a float"),
        ("1999-12", "1999-12"),
        ("1999-12-31T00:00:00Z", "1999-12-31"),
        pytest.param("1999.0", "1999", id="the text of a float"),
        (None, ""),
    ],
)
def test_a_date_is_read_from_what_tells_one(tmp_path: Path, value: object, said: str) -> None:
    columns = {"title": ["T"], "artist": ["A"], "release_date": [value]}

    (row,) = rows_of(written(tmp_path / "c.parquet", columns), {})

    assert isinstance(row, Row)
    assert row.released == said


def test_artists_and_genres_may_be_lists(tmp_path: Path) -> None:
    columns = {"title": ["T"], "artist": [["AC|DC", "B", "B"]], "genres": [[]]}

    (row,) = rows_of(written(tmp_path / "c.parquet", columns), {})

    assert isinstance(row, Row)
    assert (row.artists, row.genres) == (("AC|DC", "B"), ())


def test_a_cell_of_another_kind_is_a_fault(tmp_path: Path) -> None:
    columns = {"title": [b"T", b"U"], "artist": ["A", "B"]}

    faults = list(rows_of(written(tmp_path / "c.parquet", columns), {}))

    assert [(fault.field, fault.summary) for fault in faults if isinstance(fault, Fault)] == [
        ("title", "title: invalid"),
        ("title", "title: invalid"),
    ]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "c.parquet", {"title": ["T"] * 99, "artist": ["A"] * 99})
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(UnreadableCatalogue, match="is damaged after row 0"):
        list(rows_of(path, {}))
