"""Whether the log's file and the ``-wal`` beside it belong together, or one of them was restored alone.

At each start a new number goes into the row that every transaction of the log writes, and so into
the ``-wal``, and from there into the file. A ``-wal`` that says another number than the file was
written over another file, and what both make together is neither log.

    file          both            meaning
    a             a, before a     at rest
    a             b, before a     a start that did not come to its end
    b             b, before a     the same, a step further
    a             b, before b     the file is older than the ``-wal``
"""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from domain.errors import Unavailable
from stores.sqlite import UNWRITABLE, code_of

COLUMNS = ("start", "before")
READ = "SELECT start, before FROM marks"


def check_pair(path: Path) -> None:
    """See that a log's file and its ``-wal`` belong together; what cannot be read is left to others.

    :raises Unavailable: if they do not, with what to do.
    """
    with suppress(sqlite3.Error):
        alone, both = _numbers(path, "mode=ro&immutable=1"), _numbers(path, "mode=ro")
        if alone[0] not in both:
            wal = f"{path.name}-wal"
            raise Unavailable(
                f"{path} is older than the {wal} beside it: put back the files that were saved "
                f"together; if {path.name} was saved without a {wal}, move that away"
            )


def renew_pair(path: Path, number: int) -> None:
    """Note a start, whose *number* no other has; a file that cannot be written keeps the last one."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=1.0)) as connection:
            found = {
                name
                for (name,) in connection.execute("SELECT name FROM pragma_table_info('marks')")
            }
            for column in COLUMNS:
                if column not in found:
                    connection.execute(
                        f"ALTER TABLE marks ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0"
                    )
            connection.execute("UPDATE marks SET before = start, start = ?", (number,))
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                connection.execute("UPDATE marks SET before = start")
    except sqlite3.Error as error:
        if code_of(error) not in UNWRITABLE:
            raise


def _numbers(path: Path, how: str) -> tuple[int, int]:
    uri = f"{path.absolute().as_uri()}?{how}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        found: tuple[int, int] = connection.execute(READ).fetchone()
        return found
