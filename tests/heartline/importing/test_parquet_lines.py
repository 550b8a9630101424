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


def latin_1(*texts: str) -> pa.Array:
    """Make texts that are not UTF-8 where they are not ASCII; Arrow does not look."""
    return pa.array([text.encode("latin-1") for text in texts]).view(pa.string())


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


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        pytest.param("title", latin_1("\xf6", "T"), id="not UTF-8"),
        pytest.param("release_date", pa.array([1, 1_000], pa.timestamp("ns")), id="nanoseconds"),
        pytest.param("release_date", pa.array([2**62, 0], pa.timestamp("us")), id="far away"),
        pytest.param(
            "genres", pa.ListArray.from_arrays([0, 1, 2], latin_1("\xf6", "T")), id="in a list"
        ),
    ],
)
def test_a_cell_that_cannot_be_decoded_is_a_fault_of_its_row(
    tmp_path: Path, column: str, cells: pa.Array
) -> None:
    path = written(
        tmp_path / "c.parquet", {"title": ["T", "T"], "artist": ["A", "A"], column: cells}
    )

    fault, row = rows_of(path, {})

    assert isinstance(fault, Fault)
    assert (fault.where, fault.summary) == (f"{path}: row 1", f"{column}: invalid")
    assert isinstance(row, Row)
    assert (row.where, row.title) == (f"{path}: row 2", "T")


def test_of_columns_with_one_name_the_first_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    columns = [pa.array([each]) for each in ("T", "A", "U")]
    pq.write_table(pa.table(columns, names=["title", "artist", "title"]), path)

    assert list(rows_of(path, {})) == [Row(f"{path}: row 1", "T", ("A",))]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "c.parquet", {"title": ["T"] * 99, "artist": ["A"] * 99})
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(UnreadableCatalogue, match="is damaged after row 0"):
        list(rows_of(path, {}))
