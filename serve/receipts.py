"""What is answered to a body of many items, each of which is taken or refused by itself."""

from msgspec import Struct

from domain.errors import Refused


class Rejected(Struct, frozen=True, gc=False):
    """An item that was not taken: its place in the request, and what to change.

    ``id`` is null when it is not text, ``field`` when the item is not an object at all.
    """

    index: int
    id: str | None
    field: str | None
    reason: str
    message: str


class Receipt(Struct, frozen=True):
    """The answer to a request: how many items the log has, and which were not taken."""

    accepted: int
    rejected: list[Rejected]


class BadBody(Refused):
    """Raised when a body is not items at all, so that none can be told from another."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason, self.message = reason, message

    def __str__(self) -> str:
        return self.message
