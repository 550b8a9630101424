"""How many bytes of bodies a process holds at once, those that are still arriving included."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from domain.errors import Unavailable


class Overloaded(Unavailable):
    """Raised when so much waits that more would only wait too long."""


class HeldBodies:
    """Counts the bytes of bodies that are being read or worked on."""

    def __init__(self) -> None:
        self._bytes = 0

    @contextmanager
    def hold(self, most_bytes: int) -> Iterator[Callable[[int], None]]:
        """Give what counts the bytes of a body as they come; announced ones may never do.

        :raises Overloaded: from what it gives, when there are more than *most_bytes* in all.
        """
        held = 0

        def arriving(size_bytes: int) -> None:
            nonlocal held
            if self._bytes + size_bytes > most_bytes:
                raise Overloaded("too many bodies arrive at once")
            self._bytes += size_bytes
            held += size_bytes

        try:
            yield arriving
        finally:
            self._bytes -= held
