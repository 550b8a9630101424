"""Pages of a list by offset, in Spotify's shape, with links on the host that the client used."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from msgspec import Struct
from starlette.datastructures import URL
from starlette.requests import Request

from serve.endpoints import Parameter
from serve.inputs import query_number

LIMITS, USUAL_LIMIT = range(1, 51), 20
OFFSETS = range(100_001)

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """A part of a list; ``next`` and ``previous`` are URLs of the parts beside it."""

    href: str
    items: list[T]
    limit: int
    next: str | None
    offset: int
    previous: str | None
    total: int


class Window(NamedTuple):
    """Which part of a list is asked for."""

    limit: int
    offset: int

    @classmethod
    def of(
        cls,
        request: Request,
        *,
        offsets: range = OFFSETS,
        limits: range = LIMITS,
        usually: int = USUAL_LIMIT,
    ) -> "Window":
        """Take limit and offset from a query.

        :raises ApiError: 422, if one is no number or out of its bounds.
        """
        limit = query_number(request, "limit", default=usually, bounds=limits)
        return cls(limit, query_number(request, "offset", default=0, bounds=offsets))

    def cut(self, items: Sequence[T]) -> Sequence[T]:
        """Take the part out of the whole list."""
        return items[self.offset : self.offset + self.limit]


def page(
    read_at: URL, window: Window, items: Sequence[T], total: int, *, furthest: int = OFFSETS[-1]
) -> Page[T]:
    """Put a part of a list of *total* items, which is read at *read_at*, on a page.

    What begins behind *furthest* cannot be asked for.
    """
    (limit, offset), url = window, str(read_at)
    following, before = offset + limit, max(0, offset - limit)
    return Page(
        href=_at(url, limit, offset),
        items=list(items),
        limit=limit,
        next=_at(url, limit, following) if following < min(total, furthest + 1) else None,
        offset=offset,
        previous=_at(url, limit, before) if offset else None,
        total=total,
    )


@lru_cache(64)
def _at(url: str, limit: int, offset: int) -> str:
    """Tell where another part is; the pages of one answer ask for the same."""
    return str(URL(url).include_query_params(limit=limit, offset=offset))


WINDOW = (
    Parameter(
        "limit",
        "How many at most",
        {"type": "integer", "minimum": LIMITS[0], "maximum": LIMITS[-1], "default": USUAL_LIMIT},
    ),
    Parameter(
        "offset",
        "How many to pass over",
        {"type": "integer", "minimum": OFFSETS[0], "maximum": OFFSETS[-1], "default": 0},
    ),
)
