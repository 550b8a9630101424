"""What may be wrong with a playlist as a whole."""

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
