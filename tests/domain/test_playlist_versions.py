"""A snapshot id names one version of one playlist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.playlist_versions import snapshot_id, version_number
from domain.playlists import BadEdit

ID = "37i9dQZF1DXcBWIGoYBM5M"


@given(st.text(min_size=1, max_size=22), st.integers(0, (1 << 48) - 1))
def test_a_version_is_found_again(playlist_id: str, number: int) -> None:
    assert version_number(playlist_id, snapshot_id(playlist_id, number)) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é" * 16,
        "=" * 16,
        "////////////////",
        snapshot_id(ID, 7)[:-1],
        snapshot_id(ID, 7) + "A",
        snapshot_id("another", 7),
    ],
)
def test_what_names_no_version_of_the_playlist_is_blamed(text: str) -> None:
    with pytest.raises(BadEdit) as refused:
        version_number(ID, text)

    assert refused.value.field == "snapshot_id"


@given(st.text())
def test_no_text_does_harm(text: str) -> None:
    with pytest.raises(BadEdit):
        version_number(ID, text)
