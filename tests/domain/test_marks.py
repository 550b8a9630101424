import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.marks import marks
from domain.words import words

NAMES = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from("abAB éßæ光線ｶﾞ달'.!$&-/ \ud800\u0301")
)


@pytest.mark.parametrize(
    ("name", "typed", "marked"),
    [
        ("Billie Eilish", "bil", "[Bil]lie Eilish"),
        ("Billie Eilish", "eilish bil", "[Bil]lie [Eilish]"),
        ("Billie Eilish", "billy", "[Bill]ie Eilish"),
        ("Billie Eilish", "bilie", "[Billie] Eilish"),
        ("Billie Eilish", "billieei", "[Billie Ei]lish"),
        ("Billie Eilish", "lie", "Billie Eilish"),
        ("Billie Eilish", "xyzzy", "Billie Eilish"),
        ("AC/DC", "acdc", "[AC/DC]"),
        ("T.N.T.", "tnt", "[T.N.T]."),
        ("Sugarcane", "sugar cane", "[Sugarcane]"),
        ("Don't Stop", "dont", "[Don't] Stop"),
        ("Beyoncé", "beyonce", "[Beyoncé]"),
        ("Beyonce\u0301 B", "beyonce", "[Beyonce\u0301] B"),
        ("Ænima", "ae", "[Æ]nima"),
        ("Ænima", "aen", "[Æn]ima"),
        ("Ke$ha", "kesha", "[Ke$ha]"),
        ("Simon & Garfunkel", "and gar", "Simon [&] [Gar]funkel"),
        ("Love, love", "love", "[Love], [love]"),
        ("向井太一", "井太", "向[井太]一"),
        ("ｶﾞﾝﾀﾞﾑ", "ガンダム", "[ｶﾞﾝﾀﾞﾑ]"),
        ("I ❤ NY", "❤", "I [❤] NY"),
        ("", "love", ""),
        ("Love", "", "Love"),
    ],
)
def test_the_letters_that_match_are_marked(name: str, typed: str, marked: str) -> None:
    found = name
    for begin, end in reversed(marks(name, words(typed))):
        found = f"{found[:begin]}[{found[begin:end]}]{found[end:]}"

    assert found == marked


@given(NAMES, NAMES)
def test_marks_are_apart_and_within_the_name(name: str, typed: str) -> None:
    found = marks(name, words(typed))
    edges = [edge for begin_end in found for edge in begin_end]

    assert edges == sorted(set(edges))
    assert all(0 <= edge <= len(name) for edge in edges)


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x24F) | st.just(" ")))
def test_of_a_name_typed_whole_everything_is_marked(name: str) -> None:
    marked = {at for begin, end in marks(name, words(name)) for at in range(begin, end)}

    assert "".join(name[at] for at in range(len(name)) if at not in marked).strip() == ""
