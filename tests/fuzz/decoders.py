"""Everything that takes bytes or text from outside: right ones, and what it may raise for wrong ones."""

import base64
import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from domain.batches import batch_of as batch_of_heartbeats
from domain.calendar import IsoWeek, check_zone
from domain.catalogue import Album, Artist, EntityKind, Image, Removed, Track
from domain.catalogue_records import decode as decode_changes
from domain.catalogue_records import records_of
from domain.columns import decode
from domain.errors import InvalidWeek, UnknownZone, UnreadableRecord
from domain.fields import InvalidFields, parse_fields
from domain.heartbeat_items import Admission
from domain.heartbeats import Heartbeat, Kind
from domain.ids import BASE62
from domain.payloads import encode, encode_erase
from domain.playlist_files import FileTrack, PlaylistFile, UnreadablePlaylist
from domain.playlist_formats import PlaylistFormat, parse, render
from domain.playlist_versions import snapshot_id, version_number
from domain.playlists import BadEdit, track_of
from domain.ports import ERASED_AT, Announcement, NowPlaying
from domain.queries import parse as parse_query
from heartline.histories import UnreadableHistory, plays_of
from heartline.settings import PREFIX, BadSettings, Settings
from serve.account_bodies import NewAccount, ProfileChange
from serve.arrow_bodies import read_arrow
from serve.catalogue_columns import read_columns
from serve.catalogue_lines import read_lines
from serve.errors import ApiError
from serve.history import FIRST_KEY, parse_mark
from serve.inputs import decode as decode_json
from serve.json_bodies import read_json
from serve.live_messages import NotUnderstood, read_message
from serve.playlist_covers import read_image
from serve.receipts import BadBody
from serve.tokens import InvalidToken, Tokens
from stores.account_names import InvalidAccount, check_display_name, name_key
from stores.playlist_document import read_head
from stores.playlist_errors import CannotMerge
from stores.redis_presence import decode as decode_presence
from stores.redis_presence import encode as encode_presence
from stores.refresh_families import InvalidRefreshToken, token_parts
from streams.single_records import judge_records
from tests.domain.catalogue import RIGHT, TRACK
from tests.domain.test_jpeg import jpeg
from tests.serve.bodies import (
    LATE_LIMIT_DAYS,
    NOW_MS,
    TYPES,
    batch_of,
    beat,
    json_of,
    stream_of,
)
from tests.serve.world import new_key
from tests.stores.playlist_client import update_of_a_move
from tests.streams.single import Record, written

TOKENS = Tokens(new_key(), now_ms=lambda: NOW_MS)
ANNS, ANYBODYS = Admission("ann", NOW_MS, LATE_LIMIT_DAYS), Admission(None, NOW_MS, LATE_LIMIT_DAYS)
ITEMS = [beat(id=f"h{n}", listener_id="ann", play_id="p", context="a:b:c") for n in range(5)]
OTHER_TYPES = TYPES | {
    "id": pa.large_utf8(),
    "track_id": pa.dictionary(pa.int32(), pa.utf8()),
    "play_id": pa.string_view(),
    "at": pa.uint64(),
    "context": pa.dictionary(pa.int8(), pa.string_view()),
}
HISTORIES = (
    [{"endTime": "2019-02-20 01:12", "artistName": "N", "trackName": "C", "msPlayed": 221_735}],
    [{"ts": "2023-01-01T10:00:30Z", "ms_played": 61_000, "episode_name": None}],
    [{"listened_at": 1443521965, "track_metadata": {"artist_name": "N", "track_name": "C"}}],
    {"payload": {"listens": [{"listened_at": 1.5, "track_metadata": {"artist_name": "N", "track_name": "C"}}]}},
)  # fmt: skip
CHANGES = (
    Artist("a", "Nina", ("jazz",), (Image("u", 1, 2),), 50),
    Album("b", "Blues", ("a",), released="1965-10", upc="1", label="l", markets=("DE",)),
    Track("t", "Sinnerman", ("a",), "b", 620_000, 2, 9, True, "USRC17607839", ("jazz",)),
    Removed(EntityKind.ALBUM, "c"),
)
FILE = PlaylistFile("Mix", "of all", (FileTrack("heartline:track:t", "Sinnerman", ("Nina",)),))
COVER = jpeg(640, 480)
UPDATE = update_of_a_move()
LASTFM = b"user_1\t2009-05-04T23:08:57Z\t\tNao\t\tComplicated\n"


@dataclass(frozen=True)
class Decoder:
    """What reads, what it is right to read, and the errors that it declares."""

    read: Callable[[bytes], Any]
    right: tuple[bytes, ...]
    declared: tuple[type[Exception], ...]


def _of_text(read: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """Give a reader of text any text: what is no UTF-8 as the lone surrogates that Python makes."""
    return lambda data: read(data.decode("utf-8", "surrogateescape"))


def _both(read: Callable[[bytes, Admission], Any]) -> Callable[[bytes], Any]:
    def read_both(body: bytes) -> Any:
        with suppress(BadBody):
            read(body, ANNS)
        return read(body, ANYBODYS)

    return read_both


def _plays(content: bytes) -> Any:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return list(plays_of(Path(file.name)))


def _zipped(content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("StreamingHistory0.json", content)
        archive.writestr("ReadMe.txt", b"hello")
    return sink.getvalue()


def _settings(text: str) -> Settings:
    name, _, value = text.partition("=")
    return Settings.from_environ({f"{PREFIX}{name}": value, f"{PREFIX}DATA": "data"})


_histories = tuple(json.dumps(history).encode() for history in HISTORIES)
_record = batch_of_heartbeats(
    [Heartbeat(id=f"h{n}", listener_id="ann", track_id="t", kind=Kind.BEAT, at=n) for n in range(5)]
)
_packed = batch_of_heartbeats(
    [
        Heartbeat(
            id=BASE62[at : at + 22], listener_id="ann", track_id="t", kind=Kind.BEAT, at=10 * at
        )
        for at in range(40)
    ]
)

_tracks = pa.RecordBatch.from_pylist([TRACK | {"id": str(number)} for number in range(5)])
_tracks_otherwise = pa.record_batch(
    {
        "id": _tracks["id"].dictionary_encode(),
        "name": _tracks["name"].cast(pa.string_view()),
        "artists": _tracks["artists"].cast(pa.large_list(pa.string_view())),
        "duration_ms": _tracks["duration_ms"].cast(pa.uint32()),
        "genres": pa.nulls(5),
    }
)
_rows = [item | {"id": str(number)} for item in RIGHT.values() for number in range(2)]


def _of_all_kinds(read: Callable[[bytes, EntityKind], Any]) -> Callable[[bytes], Any]:
    def read_all(body: bytes) -> Any:
        for kind in EntityKind:
            with suppress(BadBody):
                read(body, kind)
        return read(body, EntityKind.TRACK)

    return read_all


def _of_all_formats(content: bytes) -> Any:
    for each in PlaylistFormat:
        with suppress(UnreadablePlaylist):
            parse(content, each)
    return parse(content, PlaylistFormat.M3U8)


DECODERS = {
    "heartbeats in JSON": Decoder(
        _both(read_json),
        (json_of(ITEMS), json_of([beat(context="\u2603\n", position_ms=5), beat(stretch=7)])),
        (BadBody,),
    ),
    "a single heartbeat in JSON": Decoder(
        lambda value: judge_records([Record(value)], LATE_LIMIT_DAYS),
        (written(), written(context="\u2603\n", position_ms=5, play_id="p")),
        (),
    ),
    "heartbeats in Arrow": Decoder(
        _both(read_arrow),
        (
            stream_of(batch_of(ITEMS)),
            stream_of(batch_of(ITEMS), compression="zstd"),
            stream_of(batch_of(ITEMS), compression="lz4"),
            stream_of(batch_of(ITEMS, OTHER_TYPES)),
            stream_of(*[batch_of(ITEMS, OTHER_TYPES)] * 2, compression="zstd"),
        ),
        (BadBody,),
    ),
    "records of the log": Decoder(
        decode,
        (encode(_record), encode(_packed), encode_erase("ann")),
        (UnreadableRecord,),
    ),
    "records of the catalogue's log": Decoder(
        decode_changes,
        tuple(records_of([*CHANGES]))
        + tuple(payload for change in CHANGES for payload in records_of([change])),
        (UnreadableRecord,),
    ),
    "an account in JSON": Decoder(
        lambda body: decode_json(body, msgspec.json.Decoder(NewAccount)),
        (b'{"name": "ada", "password": "correct horse", "time_zone": "UTC"}',),
        (ApiError,),
    ),
    "a profile in JSON": Decoder(
        lambda body: decode_json(body, msgspec.json.Decoder(ProfileChange)),
        (b'{"display_name": "Ada", "time_zone": "Asia/Kolkata"}',),
        (ApiError,),
    ),
    "items of the catalogue in lines": Decoder(
        _of_all_kinds(read_lines), (b"\n".join(map(msgspec.json.encode, _rows)),), (BadBody,)
    ),
    "items of the catalogue in columns": Decoder(
        _of_all_kinds(read_columns),
        (stream_of(_tracks), stream_of(_tracks, compression="zstd"), stream_of(_tracks_otherwise)),
        (BadBody,),
    ),
    "histories": Decoder(
        _plays,
        (*_histories, b"\n".join([_histories[2][1:-1]] * 2), LASTFM * 3),
        (UnreadableHistory,),
    ),
    "packed histories": Decoder(
        _plays,
        (
            *(gzip.compress(history, mtime=0) for history in (*_histories, LASTFM)),
            *(_zipped(history) for history in (*_histories, LASTFM)),
        ),
        (UnreadableHistory,),
    ),
    "access tokens": Decoder(
        _of_text(TOKENS.read),
        (TOKENS.sign("ann", ["listener"]).encode(),),
        (InvalidToken,),
    ),
    "refresh tokens": Decoder(
        _of_text(token_parts), (b"ann.family.secret",), (InvalidRefreshToken,)
    ),
    "weeks": Decoder(_of_text(IsoWeek.parse), (b"2026-W47", b"2020-W53"), (InvalidWeek,)),
    "cursors": Decoder(
        _of_text(lambda text: parse_mark("before", text, FIRST_KEY)),
        (b"1795000000000", b"1795000000000_18446744073709551615"),
        (ApiError,),
    ),
    "time zones": Decoder(
        _of_text(check_zone), (b"Asia/Kolkata", b"UTC", b"America/Argentina/Ushuaia"), (UnknownZone,)
    ),
    "presence on Redis": Decoder(
        decode_presence,
        (
            encode_presence(Announcement("ann", 5, 7, NowPlaying("t", 5, 3, True, "d", "\u2603"))),
            encode_presence(Announcement("ann", ERASED_AT, 1 << 48, None)),
        ),
        (),
    ),
    "names": Decoder(
        _of_text(name_key), (b"ada", "Gr\u00fc\u00df Gott \u216b".encode()), (InvalidAccount,)
    ),
    "display names": Decoder(
        _of_text(check_display_name), ("Ada \u2603".encode(),), (InvalidAccount,)
    ),
    "queries": Decoder(
        _of_text(parse_query),
        ('one more artist:"daft punk" year:1990-2005 “x y” tag:new'.encode(), b"isrc:USRC17607839"),
        (),
    ),
    "playlist files": Decoder(
        _of_all_formats, tuple(render(FILE, each) for each in PlaylistFormat), (UnreadablePlaylist,)
    ),
    "fields of an answer": Decoder(
        _of_text(parse_fields), (b"name,tracks.items(track(name,album(!name,href)))",), (InvalidFields,)
    ),
    "snapshot ids": Decoder(
        _of_text(lambda text: version_number("mix", text)), (snapshot_id("mix", 7).encode(),), (BadEdit,)
    ),
    "URIs of tracks": Decoder(
        _of_text(lambda text: track_of(text, "uris")), (b"spotify:track:4uLU6hMCjMI75M1A2tKUQC",), (BadEdit,)
    ),
    "messages of a playlist's connection": Decoder(
        _of_text(read_message),
        (b'{"type": "hello", "session": "s", "version": "AAEC"}', b'{"type": "edit", "id": 1, "update": "AAEC"}'),
        (NotUnderstood,),
    ),
    "updates of playlists": Decoder(read_head, (UPDATE,), (CannotMerge,)),
    "covers": Decoder(read_image, (COVER, base64.b64encode(COVER)), (ApiError,)),
    "settings": Decoder(
        _of_text(_settings),
        (b"PORT=8000", b"HOST=127.0.0.1", b"SHARDS=2", b"COMMIT_WINDOW_MS=30000", b"LOG=", b"PRESENCE=redis://:p@h:1/0", b"NEW_GENERATION=1"),
        (BadSettings,),
    ),
}  # fmt: skip
