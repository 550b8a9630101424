"""A delta leads from one version of a list to the next, and back."""

import pytest
from hypothesis import given

from domain.errors import UnreadableRecord
from domain.playlist_deltas import Delta, Splice, make, undo
from domain.playlist_edits import Restore
from domain.playlists import Entry
from tests.domain.playlist_lists import entries, names, seen_and_present


def test_what_is_cut_goes_and_what_is_put_comes() -> None:
    work = entries("abcd")

    make(work, (Splice(1, 2, tuple(entries("XY"))), Splice(4, 0, tuple(entries("Z")))))

    assert names(work) == "aXYdZ"


def test_an_entry_that_moves_is_named_by_its_id() -> None:
    work = entries("abcd")

    make(work, (Splice(0, 1), Splice(2, 0, ("a",))))

    assert names(work) == "bcad"


@given(seen_and_present())
def test_what_was_made_is_undone(versions: tuple[list[Entry], list[Entry]]) -> None:
    before, after = versions
    work = list(before)

    done = [
        one
        for step in [*Restore(after).steps((), before)]
        for one in make(work, [*step.splices(work)])
    ]
    assert work == after

    undo(work, done)
    assert work == before


@pytest.mark.parametrize(
    "delta",
    [
        (Splice(5, 0, ("a",)),),
        (Splice(2, 2),),
        (Splice(-1, 1),),
        (Splice(0, 0, ("a",)),),
    ],
)
def test_a_delta_of_another_list_is_refused(delta: Delta) -> None:
    with pytest.raises(UnreadableRecord):
        make(entries("abc"), delta)
