from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import URL

from serve.paging import Page, Window, page

URL_ = URL("http://music.example/v1/albums/1/tracks?market=DE&limit=2&offset=0")


def pages_of(items: list[int], window: Window, url: URL = URL_) -> Page[int]:
    return page(url, window, window.cut(items), len(items))


def window_of(url: str) -> Window:
    query = dict(pair.split("=") for pair in URL(url).query.split("&"))
    return Window(int(query["limit"]), int(query["offset"]))


def test_a_page_leads_to_those_beside_it() -> None:
    shown = pages_of(list(range(7)), Window(2, 2))

    assert shown == Page(
        href="http://music.example/v1/albums/1/tracks?market=DE&limit=2&offset=2",
        items=[2, 3],
        limit=2,
        next="http://music.example/v1/albums/1/tracks?market=DE&limit=2&offset=4",
        offset=2,
        previous="http://music.example/v1/albums/1/tracks?market=DE&limit=2&offset=0",
        total=7,
    )


@pytest.mark.parametrize(
    ("offset", "items", "has_next", "has_previous"),
    [
        (0, [0, 1, 2], False, False),
        (1, [1, 2], False, True),
        (3, [], False, True),
        (9, [], False, True),
    ],
)
def test_at_an_end_there_is_no_other_page(
    offset: int, items: list[int], *, has_next: bool, has_previous: bool
) -> None:
    shown = pages_of([0, 1, 2], Window(3, offset))

    assert shown.items == items
    assert (shown.next is not None, shown.previous is not None) == (has_next, has_previous)


@given(st.integers(0, 30), st.integers(1, 9))
def test_next_leads_through_everything_and_previous_back(total: int, limit: int) -> None:
    items = list(range(total))
    shown = [pages_of(items, Window(limit, 0))]
    while shown[-1].next:
        shown.append(pages_of(items, window_of(shown[-1].next)))

    assert [item for each in shown for item in each.items] == items
    for before, after in pairwise(shown):
        assert after.previous == before.href
