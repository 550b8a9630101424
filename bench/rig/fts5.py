"""The peer: SQLite FTS5 as a music server searches with it, words and beginnings, ordered by bm25."""

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from domain.catalogue import EntityKind
from domain.search import Entry

_WORD = re.compile(r"\w+")


class Fts5:
    """An index of names, of each kind of entity one table."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute("PRAGMA synchronous = OFF")
        for kind in EntityKind:
            self._database.execute(
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {kind}s USING fts5(name, artist, album,"
                " tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')"
            )

    @property
    def is_filled(self) -> bool:
        """Whether `finish` was called."""
        return bool(self._database.execute("PRAGMA user_version").fetchone()[0])

    def finish(self) -> None:
        """Keep what was written."""
        self._database.execute("PRAGMA user_version = 1")
        self._database.commit()

    def write(self, entries: Iterable[Entry]) -> None:
        """Add entries."""
        for kind in EntityKind:
            rows = [
                (one.name, " ".join(one.artists), one.album) for one in entries if one.kind == kind
            ]
            self._database.executemany(f"INSERT INTO {kind}s VALUES (?, ?, ?)", rows)  # noqa: S608 - ours

    def search(self, text: str, kind: EntityKind, limit: int) -> list[Entry]:
        """Tell the names of what has every word, or a word that begins so."""
        words = " ".join(f'"{word}"*' for word in _WORD.findall(text))
        if not words:
            return []
        query = (
            f"SELECT name, artist FROM {kind}s WHERE {kind}s MATCH ? ORDER BY bm25({kind}s) LIMIT ?"  # noqa: S608 - ours
        )
        return [
            Entry(kind=kind, id="", name=name, artists=(artist,) if artist else ())
            for name, artist in self._database.execute(query, (words, limit))
        ]

    def close(self) -> None:
        """Close the file."""
        self._database.close()
