import contextlib
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import is_id
from heartline import json_stream
from heartline.histories import UnreadableHistory, plays_of
from heartline.history_rows import Play, track_id_of
from heartline.json_stream import DamagedJson, JsonStream

ACCOUNT = {
    "endTime": "2019-02-20 01:12",
    "artistName": "Nao",
    "trackName": "Complicated",
    "msPlayed": 221_735,
}
EXTENDED = {
    "ts": "2023-01-01T10:00:30Z",
    "username": "somebody",
    "ms_played": 61_000,
    "master_metadata_track_name": "Complicated",
    "master_metadata_album_artist_name": "Nao",
    "spotify_track_uri": "spotify:track:4iV5W9uYEdYUVa79Axb7Rh",
    "episode_name": None,
    "spotify_episode_uri": None,
    "reason_end": "trackdone",
    "offline": False,
    "incognito_mode": True,
}
PODCAST = EXTENDED | {
    "master_metadata_track_name": None,
    "master_metadata_album_artist_name": None,
    "spotify_track_uri": None,
    "episode_name": "Number one",
    "episode_show_name": "A show",
    "spotify_episode_uri": "spotify:episode:0fLMt8yZWD1I4iNvq2LmZC",
}
LISTEN: dict[str, Any] = {
    "listened_at": 1_443_521_965,
    "user_name": "somebody",
    "track_metadata": {
        "artist_name": "Nao",
        "track_name": "Complicated",
        "additional_info": {"duration_ms": 222_000, "tags": ["soul"]},
    },
}
MBID = "00000000-0000-0000-0000-00000000003e"
LASTFM = f"user_1\t2009-05-04T23:08:57Z\t\tNao\t{MBID}\tComplicated\n"

AtPath = Callable[[bytes], Path]


@pytest.fixture
def at(tmp_path: Path) -> AtPath:
    def write(content: bytes) -> Path:
        path = tmp_path / "history"
        path.write_bytes(content)
        return path

    return write


def test_an_account_export_tells_the_end_in_minutes_of_utc(at: AtPath) -> None:
    (play,) = plays_of(at(json.dumps([ACCOUNT]).encode()))

    assert play == Play(
        ended_ms=1_550_625_120_000,
        ms_played=221_735,
        artist="Nao",
        title="Complicated",
        track_id=track_id_of("Nao", "Complicated"),
        source="spotify account",
    )


def test_an_account_export_holds_podcasts_as_well(at: AtPath) -> None:
    row = {
        "endTime": "2019-02-20 01:12",
        "podcastName": "A show",
        "episodeName": "One",
        "msPlayed": 1,
    }

    (play,) = plays_of(at(json.dumps([row]).encode()))

    assert (play.artist, play.title) == ("A show", "One")


def test_an_extended_export_names_the_track_by_its_uri(at: AtPath) -> None:
    (play,) = plays_of(at(json.dumps([EXTENDED]).encode()))

    assert (play.track_id, play.ended_ms, play.ms_played) == (
        "4iV5W9uYEdYUVa79Axb7Rh",
        1_672_567_230_000,
        61_000,
    )


@pytest.mark.parametrize(
    ("row", "album"),
    [
        (EXTENDED | {"master_metadata_album_album_name": "So Good"}, "So Good"),
        (EXTENDED, ""),
        (
            LISTEN | {"track_metadata": LISTEN["track_metadata"] | {"release_name": "So Good"}},
            "So Good",
        ),
        (LISTEN | {"track_metadata": LISTEN["track_metadata"] | {"release_name": 7}}, ""),
    ],
)
def test_an_album_is_told_where_a_history_has_it(
    at: AtPath, row: dict[str, Any], album: str
) -> None:
    (play,) = plays_of(at(json.dumps([row]).encode()))

    assert play.album == album


def test_a_podcast_of_an_extended_export_is_its_episode(at: AtPath) -> None:
    (play,) = plays_of(at(json.dumps([PODCAST]).encode()))

    assert (play.track_id, play.artist, play.title) == (
        "0fLMt8yZWD1I4iNvq2LmZC",
        "A show",
        "Number one",
    )


def test_a_play_that_names_nothing_at_all_is_a_play(at: AtPath) -> None:
    row = {"ts": "2023-01-01T10:00:30Z", "ms_played": 5}

    (play,) = plays_of(at(json.dumps([row]).encode()))

    assert is_id(play.track_id)


def test_a_line_of_lastfm_is_a_listen_without_a_duration(at: AtPath) -> None:
    (play,) = plays_of(at(LASTFM.encode()))

    assert play == Play(
        ended_ms=1_241_478_537_000,
        ms_played=None,
        artist="Nao",
        title="Complicated",
        track_id="0000000000000000000010",
        source="last.fm",
    )


def test_lines_of_lastfm_may_end_as_on_windows_and_hold_odd_titles(at: AtPath) -> None:
    text = LASTFM.replace("\n", "\r\n") + '\r\nu\t2009-05-04T23:08:57Z\t\t"A\tno-mbid\tB"\tC\r\n'

    plays = list(plays_of(at(text.encode())))

    assert [play.title for play in plays] == ["Complicated", 'B"\tC']


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(json.dumps([LISTEN] * 2), id="array"),
        pytest.param(json.dumps(LISTEN) + "\n" + json.dumps(LISTEN) + "\n", id="lines"),
        pytest.param(json.dumps({"payload": {"count": 2, "listens": [LISTEN] * 2}}), id="api"),
        pytest.param("\ufeff" + json.dumps([LISTEN] * 2, indent=2), id="byte-order-mark"),
    ],
)
def test_listens_of_listenbrainz_are_read_in_every_wrapping(at: AtPath, content: str) -> None:
    plays = list(plays_of(at(content.encode())))

    assert [(play.ended_ms, play.ms_played) for play in plays] == [(1_443_521_965_000, None)] * 2


@pytest.mark.parametrize("place", ["additional_info", "mbid_mapping"])
def test_a_listen_is_named_by_its_recording_where_that_is_told(at: AtPath, place: str) -> None:
    track = LISTEN["track_metadata"] | {place: {"recording_mbid": MBID}}

    (play,) = plays_of(at(json.dumps([LISTEN | {"track_metadata": track}]).encode()))

    assert play.track_id == "0000000000000000000010"


def test_what_a_submitter_made_up_as_an_mbid_is_no_name(at: AtPath) -> None:
    track = LISTEN["track_metadata"] | {"additional_info": {"recording_mbid": ["?"]}}

    (play,) = plays_of(at(json.dumps([LISTEN | {"track_metadata": track}]).encode()))

    assert play.track_id == track_id_of("Nao", "Complicated")


def test_a_gzipped_history_is_a_history(at: AtPath) -> None:
    assert len(list(plays_of(at(gzip.compress(json.dumps([ACCOUNT]).encode()))))) == 1


def zipped(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_of_a_zip_every_history_is_read_and_nothing_else(at: AtPath) -> None:
    content = zipped(
        user='{"user_id": 1}',
        listens=json.dumps(LISTEN) + "\n" + json.dumps(LISTEN),
        account=json.dumps([ACCOUNT]),
        readme="hello",
        picture="\ud800".encode("utf-16", "surrogatepass").decode("latin-1"),
    )

    assert len(list(plays_of(at(content)))) == 3


def test_damage_inside_a_zip_is_told_with_the_member(at: AtPath) -> None:
    with pytest.raises(UnreadableHistory, match=r"in listens: ends in the middle, at item 2"):
        list(plays_of(at(zipped(listens=json.dumps(LISTEN) + "\n{"))))


def test_a_history_of_nothing_is_a_history(at: AtPath) -> None:
    assert list(plays_of(at(b" [ ] "))) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "is empty; understood are a Spotify export", id="empty"),
        pytest.param(b"\n\n", "is empty", id="white"),
        pytest.param(b"{}", "not a listening history", id="another-object"),
        pytest.param(b'[{"id": 1}]', "not a listening history", id="another-array"),
        pytest.param(b"[1, 2]", "not a listening history", id="numbers"),
        pytest.param(b"id,title\n1,x\n", "not a listening history", id="csv"),
        pytest.param(b"a\tb\tc\td\te\tf\n", "not a listening history", id="another-tsv"),
        pytest.param(b"\x89PNG\r\n\x1a\n\xff\xfe", "not UTF-8", id="binary"),
        pytest.param(json.dumps([ACCOUNT]).encode("utf-16"), "not UTF-8", id="utf-16"),
        pytest.param(b"PK\x03\x04 rest", "damaged or locked archive", id="broken-zip"),
        pytest.param(zipped(a="b"), "without a listening history", id="another-zip"),
        pytest.param(gzip.compress(b"[" * 99)[:-9], "damaged", id="cut-gzip"),
        pytest.param(b"\x1f\x8bxxxxxxxxxxxx", "damaged", id="broken-gzip"),
        pytest.param(b"[" * 100_000, "nested too deep", id="deep"),
        pytest.param(json.dumps([ACCOUNT]).encode()[:-1], "ends in the middle", id="no-end"),
        pytest.param(json.dumps([ACCOUNT]).encode()[:-9], "ends in the middle", id="cut-item"),
        pytest.param(json.dumps([ACCOUNT]).encode() + b"x", "goes on after", id="more"),
        pytest.param(b'[{"endTime" 5}]', "not JSON, at item 1", id="no-colon"),
        pytest.param(LASTFM.encode() + b"user_1\tx\n", "line 2: 6 fields", id="short-line"),
        pytest.param(LASTFM.encode() + b"x" * 70_000, "a line of more than", id="endless-line"),
    ],
)
def test_what_is_no_history_is_refused_in_one_line(
    at: AtPath, content: bytes, problem: str
) -> None:
    with pytest.raises(UnreadableHistory) as caught:
        list(plays_of(at(content)))

    assert problem in str(caught.value)
    assert str(caught.value).startswith(caught.value.path + ": ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        pytest.param({"msPlayed": "5"}, "$.msPlayed", id="text"),
        pytest.param({"msPlayed": 5.5}, "$.msPlayed", id="fraction"),
        pytest.param({"msPlayed": None}, "$.msPlayed", id="null"),
        pytest.param({"msPlayed": -1}, "$.msPlayed", id="negative"),
        pytest.param({"msPlayed": 10**15}, "$.msPlayed", id="endless"),
        pytest.param({"artistName": 7}, "$.artistName", id="artist"),
        pytest.param({"endTime": "yesterday"}, "not a time: 'yesterday'", id="no-time"),
        pytest.param({"endTime": "1969-12-31 23:59"}, "before 1970", id="old"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(
    at: AtPath, changed: dict[str, object], problem: str
) -> None:
    with pytest.raises(UnreadableHistory) as caught:
        list(plays_of(at(json.dumps([ACCOUNT, ACCOUNT | changed]).encode())))

    assert "play 2" in str(caught.value)
    assert problem in str(caught.value)


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_file_that_cannot_be_read_is_told_with_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableHistory, match=str(tmp_path)):
        list(plays_of(tmp_path / name))


def test_a_lone_surrogate_in_a_title_has_a_track_id() -> None:
    assert is_id(track_id_of("\ud800", "\x00"))


def test_artist_and_title_are_not_run_together() -> None:
    assert track_id_of("ab", "c") != track_id_of("a", "bc")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


records = st.dictionaries(st.text(), json_values, max_size=4)


@given(st.lists(records, max_size=5), st.sampled_from([None, 2]))
def test_an_array_read_in_pieces_is_the_array(
    items: list[dict[str, object]], indent: int | None
) -> None:
    stream = JsonStream(io.StringIO(json.dumps(items, indent=indent)))
    json_stream.CHUNK, chunk = 3, json_stream.CHUNK
    try:
        assert list(stream.items()) == items
    finally:
        json_stream.CHUNK = chunk


@given(st.binary(max_size=200))
def test_whatever_bytes_a_file_holds_they_are_plays_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    path.write_bytes(content)
    with contextlib.suppress(UnreadableHistory):
        assert all(isinstance(play, Play) for play in plays_of(path))


def test_a_value_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "MOST_VALUE", 1_000)
    monkeypatch.setattr(json_stream, "CHUNK", 100)
    endless = io.StringIO('["' + "x" * 100_000)

    with pytest.raises(DamagedJson):
        list(JsonStream(endless).items())

    assert endless.tell() < 5_000


def test_a_long_history_is_read_as_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_text("[" + ",".join([json.dumps(ACCOUNT)] * 50_000) + ", damaged")

    assert len(list(islice(plays_of(path), 10))) == 10
