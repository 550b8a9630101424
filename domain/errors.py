"""What can go wrong, by whose doing.

HeartlineError
 ├── Refused                 the caller's doing: say what to change (4xx, exit status 1 or 2)
 │    ├── InvalidWeek
 │    ├── InvalidWeights
 │    └── UnknownZone
 ├── UnreadableRecord        a record of the log is not one of ours, or is damaged
 └── Unavailable             ours: a backend is away or a directory cannot be used (503, exit 1)
      ├── LogBehindStore     the log ends before what was committed: a restored backup
      ├── StoreBehindLog     the log has trimmed what the store lacks: a restored backup
      └── NewerSchema        the database was written by a newer version
"""


class HeartlineError(Exception):
    """Raised by Heartline; everything below is caught by it."""


class Refused(HeartlineError):
    """Raised when the caller's input cannot be taken."""


class InvalidWeek(Refused):
    """Raised when a week is not written as YYYY-Www, or that year has no such week."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"not an ISO week like 2026-W47: {self.text[:40]!r}"


class InvalidWeights(Refused):
    """Raised when the weights of the ranking are not written as they should be."""

    def __init__(self, name: str, wants: str) -> None:
        super().__init__(name, wants)
        self.name, self.wants = name, wants

    def __str__(self) -> str:
        return f"{self.name[:40]!r} {self.wants}"


class UnknownZone(Refused):
    """Raised when the pinned tzdata has no zone of that name."""

    def __init__(self, zone: str) -> None:
        super().__init__(zone)
        self.zone = zone

    def __str__(self) -> str:
        return f"not a time zone of the tz database: {self.zone[:64]!r}"


class UnreadableRecord(HeartlineError):
    """Raised when a log record's payload does not decode."""


class Unavailable(HeartlineError):
    """Raised when a backend cannot answer now."""


class LogBehindStore(Unavailable):
    """Raised at start when the log ends before what was committed from it."""

    def __init__(self, partition: int, end: int, committed: int) -> None:
        super().__init__(partition, end, committed)
        self.partition, self.end, self.committed = partition, end, committed

    def __str__(self) -> str:
        return (
            f"the log of partition {self.partition} ends at {self.end}, but {self.committed} was committed: "
            "restore the newer log, or begin a new generation with --new-generation"
        )


class StoreBehindLog(Unavailable):
    """Raised at start when the log has trimmed records that the store lacks."""

    def __str__(self) -> str:
        return (
            "the log has trimmed records that the store lacks: "
            "restore the newer store, or go on without what is missing with --new-generation"
        )


class NewerSchema(Unavailable):
    """Raised when a database was written by a newer version of Heartline."""

    def __init__(self, path: str, found: int, known: int) -> None:
        super().__init__(path, found, known)
        self.path, self.found, self.known = path, found, known

    def __str__(self) -> str:
        return f"{self.path} has schema {self.found}, this version knows {self.known}: upgrade Heartline"
