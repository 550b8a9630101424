"""A fold over rows in dictionaries: what a shard does, without the store and the log."""

from collections.abc import Sequence

from domain import rows
from domain.batches import batch_of
from domain.columns import columns_of
from domain.fold import Fold
from domain.hashing import day_key, lane_key
from domain.heartbeats import Heartbeat
from domain.payloads import encode, open_payload
from domain.recount import PlayOf
from domain.units import quarter_of, week_start_ms
from domain.wanted import Stored

Key = tuple[str, str, int]  # table, listener id, key
Versions = dict[Key, list[tuple[int, bytes]]]  # (position, state), ascending


class Folding:
    """Applies numbered records to a fold that loads from, and flushes to, *store*."""

    def __init__(self, store: dict[Key, tuple[int, bytes]] | None = None) -> None:
        self.fold = Fold()
        self.store: dict[Key, tuple[int, bytes]] = dict(store or {})
        self.versions: Versions = {}
        self.last = 0
        self.now_ms = 0
        self.news: list[str] = []

    def apply(self, position: int, heartbeats: Sequence[Heartbeat]) -> list[str]:
        """Apply one record; tells whom it erased."""
        self.last = position
        if not heartbeats:
            return []
        batch, _ = columns_of([open_payload(encode(batch_of(heartbeats)))], [position])
        found, wanted = self.fold.plan(batch)
        stored = Stored(
            erased=[False] * len(wanted.listeners),
            hours=[self._load("hour", key) for key in wanted.hours],
            weeks=[self._load("week", key) for key in wanted.weeks],
            plays=[self._load("play", key) for key in wanted.plays],
        )
        self.fold.install(wanted, stored)
        before = self.fold.seen(found)
        erased = self.fold.apply(batch, found)
        self.news = self.fold.news(before, self.now_ms) + erased
        self._check_room()
        return erased

    def counted(self) -> list[tuple[str, int]]:
        """The plays that count since the last call: their track, and with which record."""
        taken = self.fold.take_counted()
        tracks = [taken.tracks[of] for of in taken.of.tolist()]
        return list(zip(tracks, taken.positions.tolist(), strict=True))

    def flush(self) -> None:
        """Write the dirty rows; a row that a longer prefix wrote stays."""
        collected = self.fold.collect()
        self._check_room()
        for table in ("hour", "week", "play"):
            for listener, key, state in getattr(collected, f"{table}s"):
                self.versions.setdefault((table, listener, key), []).append((self.last, state))
                stands = self.store.get((table, listener, key))
                if stands is None or self.last > stands[0]:
                    self.store[table, listener, key] = (self.last, state)

    def quarters(self, listener: str) -> dict[int, int]:
        """What the week rows say."""
        found: dict[int, int] = {}
        for (table, of, week), (_, state) in self.store.items():
            if (table, of) == ("week", listener):
                begin = quarter_of(week_start_ms(week))
                for quarter, ms in rows.read_week(state).tolist():
                    found[begin + quarter] = ms
        return found

    def quarters_of_hours(self, listener: str) -> dict[int, int]:
        """What the hour rows say."""
        found: dict[int, int] = {}
        for (table, of, hour), (_, state) in self.store.items():
            if (table, of) == ("hour", listener):
                found |= rows.hour_quarters(hour, state)
        return found

    def plays(self, listener: str) -> dict[int, rows.Play]:
        """What the play rows say, by key."""
        found = {}
        for (table, of, key), (_, state) in self.store.items():
            if (table, of) == ("play", listener):
                play = rows.play_of(key, state)
                if play is not None:
                    found[play.key] = play
        return found

    def _check_room(self) -> None:
        """See that kernels, which check no bounds, have written into the arrays only."""
        state = self.fold._state
        parts = (
            state.listeners,
            state.hours,
            state.runs,
            state.weeks,
            state.plays,
            state.spans,
            state.texts,
            state.dirty,
            state.countings,
        )
        for used, part in zip(state.counts.tolist(), parts, strict=True):
            assert used <= len(part)

    def _load(self, table: str, key: tuple[str, int]) -> bytes | None:
        stands = self.store.get((table, *key))
        return None if stands is None else stands[1]


def row_key(play: PlayOf) -> int:
    """The key of the row that an oracle's play has."""
    lane = lane_key(play.track_id, play.play_id)
    return lane if play.utc_day is None else day_key(lane, play.utc_day)
