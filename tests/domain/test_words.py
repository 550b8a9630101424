import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.words import MOST_WORDS, WORD_CHARACTERS, fold, joined, words

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text(
    st.sampled_from("aAéßİıłøæёЁ光線カガ\u3099ｶﾞ달ㄷ'´’.!$&+*-/ \0\ud800\u0301\u0345\u200d🔥👩")
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Never Gonna Give You Up", "never gonna give you up", id="case"),
        pytest.param("Beyoncé", "beyonce", id="marks"),
        pytest.param("Beyonce\u0301", "beyonce", id="marks-of-their-own"),
        pytest.param("Sigur Rós — Ágætis byrjun", "sigur ros agaetis byrjun", id="icelandic"),
        pytest.param("Røyksopp & Łąki Łan", "royksopp and laki lan", id="strokes"),
        pytest.param("Straße", "strasse", id="sharp-s"),
        pytest.param("İstanbul ISTANBUL ılık", "istanbul istanbul ilik", id="turkish"),
        pytest.param("Ёлка", "елка", id="yo"),
        pytest.param("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width", id="full-width"),
        pytest.param("T.N.T.", "tnt", id="initials"),
        pytest.param("R.E.M", "rem", id="initials-without-the-last-dot"),
        pytest.param("will.i.am", "will i am", id="dots-between-words"),
        pytest.param("Mr.Brightside", "mr brightside", id="a-dot-without-a-space"),
        pytest.param("I Don't Don’t Don´t", "i dont dont dont", id="apostrophes"),
        pytest.param("Rock 'n' Roll", "rock n roll", id="quoted-letters"),
        pytest.param("AC/DC", "ac dc", id="a-slash"),
        pytest.param("N*E*R*D F**k", "nerd fk", id="stars-inside"),
        pytest.param("Simon & Garfunkel", "simon and garfunkel", id="ampersand"),
        pytest.param("Florence + the Machine", "florence and the machine", id="plus-between-words"),
        pytest.param("1+1", "1 1", id="plus-between-numbers"),
        pytest.param("Ke$ha A$AP $ign Bada$$ $100", "kesha asap sign badass 100", id="dollars"),
        pytest.param("P!nk Panic! Go!Go!", "pink panic go go", id="an-exclamation-for-an-i"),
        pytest.param("!!!", "!!!", id="punctuation-alone"),
        pytest.param("? ?", "??", id="punctuation-apart"),
        pytest.param("+", "+", id="plus-alone"),
        pytest.param("&", "&", id="ampersand-alone"),
        pytest.param("÷ (Deluxe)", "÷ deluxe", id="a-symbol-among-words"),
        pytest.param("I ❤️ NY™", "i ❤ ny", id="emoji"),
        pytest.param("向井太一", "向井 井太 太一", id="han"),
        pytest.param("光", "光", id="one-han"),
        pytest.param("9と4分の3番線", "9 と 4 分の 3 番線", id="kana-and-digits"),
        pytest.param("ｶﾞﾝﾀﾞﾑ", "ガン ンダ ダム", id="half-width-kana"),
        pytest.param("달라달라 DALLA", "달라 라달 달라 dalla", id="hangul"),
        pytest.param("हिन्दी", "हिन्दी", id="devanagari-keeps-its-vowels"),
        pytest.param("\ud800 \0\t", "", id="nothing-to-see"),
    ],
)
def test_words_are_what_somebody_would_type(text: str, expected: str) -> None:
    assert words(text) == tuple(expected.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AC/DC", ["acdc"]),
        ("Sugar Cane", ["sugarcane"]),
        ("a b c d", ["ab", "bc", "cd", "abc", "bcd", "abcd"]),
        ("Gorillaz", []),
        ("向井太一 Blue Sky", ["bluesky"]),
        ("x" * 40 + " " + "y" * 40, []),
    ],
)
def test_neighbours_are_joined_by_two_by_three_and_all(text: str, expected: list[str]) -> None:
    assert sorted(joined(words(text)), key=expected.index) == expected


@given(ANY_TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(ANY_TEXT)
def test_composed_and_decomposed_text_fold_into_one(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))

    assert fold(composed) == fold(decomposed) == fold(text)
    assert words(composed) == words(decomposed)


@given(ANY_TEXT)
def test_words_are_made_of_themselves(text: str) -> None:
    assert words(" ".join(words(text))) == words(text)


@given(ANY_TEXT)
def test_a_word_is_short_and_can_be_written(text: str) -> None:
    found = words(text) + joined(words(text))

    assert [word for word in found if not 0 < len(word) <= WORD_CHARACTERS] == []
    assert [word for word in found if word.split() != [word]] == []
    assert {unicodedata.category(c) for word in found for c in word}.isdisjoint({"Cc", "Cf", "Cs"})


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Sm", "So"]), min_size=1))
def test_what_can_be_seen_has_a_word(text: str) -> None:
    assert words(text)


@given(st.text(st.characters(max_codepoint=0x2FF) | st.sampled_from("’‘´ʼ＇")))
def test_latin_text_folds_as_it_does_beside_other_scripts(text: str) -> None:
    assert fold(text) + "光" == fold(text + "光")


def test_every_character_folds_once_and_for_all() -> None:
    characters = [chr(point) for point in range(0, sys.maxunicode + 1, 61)]

    assert [c for c in characters if fold(fold(c)) != fold(c)] == []
    assert [c for c in characters if fold(unicodedata.normalize("NFD", c)) != fold(c)] == []


@pytest.mark.parametrize(
    "piece", ["a", "a ", "\u0301\u0323", "a.", "*", "a*", "光", "$", "&", "´", "\0"]
)
def test_length_costs_no_more_than_length(piece: str) -> None:
    found = words(piece * 500_000)

    assert len(found) <= MOST_WORDS
    assert max(map(len, found), default=0) <= WORD_CHARACTERS
    assert fold(piece * 100_000) is not None
