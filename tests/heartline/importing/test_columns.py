import pytest

from heartline.importing.columns import mapping_of


def test_a_mapping_is_read_from_several_texts() -> None:
    mapping = mapping_of(["title=track_name, artist=Main Artist", "id=a=b"])

    assert mapping == {"title": "track_name", "artist": "Main Artist", "id": "a=b"}


@pytest.mark.parametrize("text", ["title", "title=", "", "name=title", "=x"])
def test_a_mapping_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"none of our columns|wants OURS=THEIRS"):
        mapping_of([text])
