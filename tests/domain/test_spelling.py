import pytest

from domain.spelling import did_you_mean


@pytest.mark.parametrize(
    ("typed", "similar", "meant"),
    [
        pytest.param("beatels", [[("beatles", 9)]], "beatles", id="letters-swapped"),
        pytest.param(
            "hey beatels", [[("hey", 3)], [("beatles", 9)]], "hey beatles", id="what-is-right-stays"
        ),
        pytest.param("hey beatles", [[("hey", 3)], [("beatles", 9)]], None, id="all-known"),
        pytest.param("beetles", [[("beetles", 1), ("beatles", 9)]], None, id="known-if-rare"),
        pytest.param("beatls", [[("beats", 5), ("beatles", 9)]], "beatles", id="the-frequent-one"),
        pytest.param("beatlse", [[("beatles", 1), ("beats", 99)]], "beatles", id="the-nearest-one"),
        pytest.param("beatls", [[("belts", 9)]], None, id="too-far"),
        pytest.param("teh", [[("the", 9)]], None, id="too-short"),
        pytest.param("xyzzy", [[]], None, id="nothing-near"),
        pytest.param("光線 beatels", [[], [("beatles", 9)]], None, id="without-spaces"),
        pytest.param("", [], None, id="nothing-typed"),
    ],
)
def test_what_was_meant(
    typed: str, similar: list[list[tuple[str, int]]], meant: str | None
) -> None:
    assert did_you_mean(typed.split(), similar) == meant
