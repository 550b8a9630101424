"""What may be wrong with a playlist as a whole."""

from typing import Any

from domain.errors import HeartlineError, Unavailable


class NoPlaylist(HeartlineError):
    """Raised when there is no such playlist."""


class Forbidden(HeartlineError):
    """Raised by who says who may edit a playlist, if somebody may only see it."""

    def __str__(self) -> str:
        return "this playlist is not yours to change"


class Contended(Unavailable):
    """Raised when others keep changing a playlist."""

    def __str__(self) -> str:
        return "too many edit this playlist at once"


class CannotMerge(HeartlineError):
    """Raised when an update cannot be merged; *reason* is a name for programs."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason, self.message = reason, message

    def __str__(self) -> str:
        return self.message


class Outdated(CannotMerge):
    """Raised when an update is based on what the document has trimmed."""

    def __init__(self) -> None:
        super().__init__("outdated", "the update is based on a version that is kept elsewhere")

    def __reduce__(self) -> tuple[Any, ...]:
        return Outdated, ()
