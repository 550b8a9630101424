"""Opening a SQLite database that several processes use, and saying what to do when it cannot be."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from domain.errors import NewerSchema, Unavailable

OLDEST_SQLITE = (3, 37, 0)  # STRICT tables; RETURNING came with 3.35
LOCK_RETRY_S = 0.001  # SQLite's own handler sleeps up to 100 ms between two tries
CACHED_STATEMENTS = 512
PRAGMAS = (
    "PRAGMA busy_timeout = 0",  # `patiently` waits instead, and reads never wait on the loop
    "PRAGMA cache_size = -32768",
    "PRAGMA wal_autocheckpoint = 4096",  # 16 MiB: a checkpoint costs two fsyncs
    "PRAGMA journal_size_limit = 67108864",
)

LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
UNWRITABLE = {*LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR}
ADVICE = {
    sqlite3.SQLITE_BUSY: "{path} is locked by another process: stop that one, or try again",
    sqlite3.SQLITE_LOCKED: "{path} is locked by another process: stop that one, or try again",
    sqlite3.SQLITE_FULL: "no space is left for {path}: free some on its disk",
    sqlite3.SQLITE_READONLY: "{path} cannot be written: give this user write access to it and its directory",
    sqlite3.SQLITE_PERM: "{path} cannot be used: give this user access to it",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened: check that its directory is there and may be written",
    sqlite3.SQLITE_IOERR: "{path} cannot be read or written ({error}): check the disk, its space and its limits",
    sqlite3.SQLITE_PROTOCOL: "{path} is locked by another process: stop that one, or try again",
    sqlite3.SQLITE_NOMEM: "no memory is left to use {path}: free some",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged ({error}): restore it from a backup",
    sqlite3.SQLITE_NOTADB: "{path} is not a SQLite database: move it away, or restore it from a backup",
}

WHAT_IT_IS = (
    "SELECT (SELECT application_id FROM pragma_application_id),"
    " (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_master)"
)


def code_of(error: sqlite3.Error) -> int:
    """Tell SQLite's primary result code; 0 if the error did not come from SQLite itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def explained(path: Path, error: sqlite3.Error) -> Exception:
    """Turn what the surroundings did into `Unavailable` with advice; our own mistakes stay as they are."""
    advice = ADVICE.get(code_of(error))
    return error if advice is None else Unavailable(advice.format(path=path, error=error))


def patiently(connection: sqlite3.Connection, statement: str, patience_s: float) -> Any:
    """Run *statement*, trying again while another process holds the lock, for *patience_s* at most.

    Tells the first row, None if there is none.
    """
    until = time.monotonic() + patience_s
    while True:
        try:
            return connection.execute(statement).fetchone()
        except sqlite3.OperationalError as error:
            if code_of(error) not in LOCKED or time.monotonic() >= until:
                raise
            time.sleep(LOCK_RETRY_S)


@dataclass(frozen=True, slots=True)
class Database:
    """One database file: what kind it is, which schema this version knows, how long to wait for locks."""

    path: Path
    kind: int  # SQLite's application_id: a store is not taken for a log
    schema: int  # SQLite's user_version
    patience_s: float = 5.0

    def create(self, build: Callable[[sqlite3.Connection], None]) -> None:
        """Make the file if it is missing, and run *build*, which may find everything built already.

        A file that was built before but cannot be written now (locked, full, read-only) is taken as it
        is: it can be read, and each write says what is wrong until that has passed.

        :raises NewerSchema: if a newer version of Heartline wrote it.
        :raises Unavailable: if it cannot be read or written, or is something else.
        """
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise Unavailable(
                f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or later is needed"
            )
        self._touch()
        try:
            connection = self.connect()
            with closing(connection):
                try:
                    self._build(connection, build)
                except sqlite3.Error as error:
                    if code_of(error) not in UNWRITABLE or not self._was_built(connection):
                        raise
        except sqlite3.Error as error:
            raise explained(self.path, error) from error

    def connect(
        self, *, synchronous: Literal["FULL", "NORMAL"] = "FULL", reading: bool = False
    ) -> sqlite3.Connection:
        """Open a connection in autocommit mode, for any one thread at a time; one for *reading* at once.

        :raises sqlite3.Error: if the file is missing, locked or unusable; `explained` says what to do.
        :raises Unavailable: if it is something else, or a newer version's.
        """
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=CACHED_STATEMENTS,
        )
        patience_s = 0.0 if reading else self.patience_s
        own = f"PRAGMA query_only = {reading:d}", f"PRAGMA synchronous = {synchronous}"
        try:
            for statement in (*PRAGMAS, *own, "SELECT 1 FROM sqlite_master"):
                patiently(connection, statement, patience_s)
            self._check(connection, patience_s)
        except BaseException:
            connection.close()
            raise
        return connection

    def _touch(self) -> None:
        # Listening and password hashes are nobody else's; SQLite gives its -wal and -shm the same mode.
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            if self.path.is_file():
                return  # it may be read still
            reason = f"{self.path} cannot be opened: {error.strerror}"
            raise Unavailable(f"{reason}; check its directory and this user's rights") from error

    def _check(self, connection: sqlite3.Connection, patience_s: float) -> None:
        kind, found, names = patiently(connection, WHAT_IT_IS, patience_s)
        if kind != self.kind and (kind, names) != (0, 0):
            raise Unavailable(f"{self.path} is another program's database: move it away")
        if found > self.schema:
            raise NewerSchema(str(self.path), found, self.schema)

    def _was_built(self, connection: sqlite3.Connection) -> bool:
        found: tuple[int] = connection.execute("PRAGMA user_version").fetchone()
        return found == (self.schema,)

    def _build(
        self, connection: sqlite3.Connection, build: Callable[[sqlite3.Connection], None]
    ) -> None:
        patiently(connection, "PRAGMA journal_mode = WAL", self.patience_s)
        patiently(connection, "BEGIN IMMEDIATE", self.patience_s)
        self._check(
            connection, self.patience_s
        )  # again: another process may have built it meanwhile
        build(connection)
        if not self._was_built(connection):
            connection.execute(f"PRAGMA application_id = {self.kind}")
            connection.execute(f"PRAGMA user_version = {self.schema}")
        connection.execute("COMMIT")
