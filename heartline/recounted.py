"""What came of a recount, and how it is told."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields

from heartline.differences import Difference
from heartline.terminal import say, say_json


@dataclass(slots=True)
class Tallied:
    """How much was compared."""

    listeners: int = 0
    erased: int = 0
    quarters: int = 0
    plays: int = 0
    tracks: int = 0


@dataclass(slots=True)
class Recounted:
    """What was counted again, and every difference that was found."""

    heartbeats: int = 0
    unreadable: int = 0  # records
    mended: int = 0  # rows
    tallied: Tallied = field(default_factory=Tallied)
    differences: list[Difference] = field(default_factory=list)

    @classmethod
    def of_parts(cls, parts: Iterable["Recounted"]) -> "Recounted":
        """Add up what came of each part of the listeners."""
        whole = cls()
        for part in parts:
            whole.heartbeats += part.heartbeats
            whole.unreadable += part.unreadable
            whole.mended += part.mended
            whole.differences += part.differences
            for each in fields(Tallied):
                more = getattr(whole.tallied, each.name) + getattr(part.tallied, each.name)
                setattr(whole.tallied, each.name, more)
        return whole

    @property
    def status(self) -> int:
        """The exit status that says it: 1 if anything differs."""
        return 1 if self.differences else 0


def tell(of: Recounted, *, as_json: bool) -> None:
    """Print everything but the differences, which a person has seen as they were found."""
    tallied = of.tallied
    if as_json:
        say_json(
            {
                "heartbeats": of.heartbeats,
                "unreadable_records": of.unreadable,
                "mended_rows": of.mended,
                **asdict(tallied),
                "differences": [asdict(each) for each in of.differences],
            }
        )
        return
    say(
        f"{of.heartbeats} heartbeats of {tallied.listeners} listeners counted again: "
        f"{tallied.quarters} quarter-hours, {tallied.plays} plays and {tallied.tracks} tracks "
        f"compared, {len(of.differences)} differences."
    )
    if of.mended:
        say(f"{of.mended} rows could not be read, and were made anew from the log.")
    if tallied.erased:
        say(f"{tallied.erased} erased listeners were left out.")
    if of.unreadable:
        say(f"{of.unreadable} records cannot be read; shards left them out as well.")
