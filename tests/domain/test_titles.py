import pytest

from domain.titles import titles_of


@pytest.mark.parametrize(
    ("name", "title", "bare"),
    [
        ("Yesterday", "Yesterday", "Yesterday"),
        ("Help! - Remastered 2015", "Help!", "Help!"),
        ("Airplanes (feat. B.o.B)", "Airplanes", "Airplanes"),
        ("TOTSUKA feat. サイプレス上野", "TOTSUKA", "TOTSUKA"),
        ("Shallow - From A Star Is Born", "Shallow", "Shallow"),
        ("I Don't Care (with X) - Y Remix", "I Don't Care - Y Remix", "I Don't Care"),
        ("Creep - Live", "Creep - Live", "Creep"),
        ("(I Can't Get No) Satisfaction", "(I Can't Get No) Satisfaction", "Satisfaction"),
        ("(feat. X)", "(feat. X)", "(feat. X)"),
        ("Lost Without You", "Lost Without You", "Lost Without You"),
        ("Blink-182", "Blink-182", "Blink-182"),
        ("", "", ""),
    ],
)
def test_a_name_is_read_with_and_without_its_additions(name: str, title: str, bare: str) -> None:
    assert titles_of(name) == (name, title, bare)
