"""The order of suggestions: how a name goes on matters, not how much of it is left to type."""

import pytest

from domain.begun import BEGINS, BESIDE, MISSPELT, WHOLE, WITHIN, begun
from domain.catalogue import EntityKind
from domain.ranking import order_begun
from domain.search import Candidate, Entry

EILISH = Entry(EntityKind.ARTIST, "1", "Billie Eilish", popularity=97)
BILL = Entry(EntityKind.TRACK, "2", "Bill", ("Peggy Scott-Adams",), popularity=20)
BILL_OF_FAME = Entry(EntityKind.TRACK, "3", "Still Bill", ("Bill Withers",), popularity=70)


@pytest.mark.parametrize(
    ("typed", "entry", "worth"),
    [
        (("bill",), BILL, WHOLE),
        (("bil",), BILL, BEGINS),
        (("billie", "ei"), EILISH, BEGINS),
        (("billiee",), EILISH, BEGINS),
        (("eil",), EILISH, WITHIN),
        (("bil",), BILL_OF_FAME, WITHIN),
        (("still", "with"), BILL_OF_FAME, BESIDE),
        (("bilie",), EILISH, MISSPELT),
        ((), EILISH, MISSPELT),
        (("billie", "eilish", "x"), EILISH, MISSPELT),
    ],
)
def test_the_worth_of_what_was_typed(typed: tuple[str, ...], entry: Entry, worth: float) -> None:
    assert begun(typed, entry) == worth


def test_the_famous_come_before_the_short() -> None:
    ranked = order_begun(("bil",), [Candidate(BILL), Candidate(EILISH)], now_ms=0)

    assert [one.entry for one in ranked] == [EILISH, BILL]


def test_the_order_of_candidates_does_not_matter() -> None:
    candidates = [Candidate(each) for each in (BILL, EILISH, BILL_OF_FAME)]

    assert order_begun(("bil",), candidates, now_ms=0) == order_begun(
        ("bil",), candidates[::-1], now_ms=0
    )
