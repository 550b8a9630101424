from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from domain.playlist_files import MOST_BYTES, FileTrack, PlaylistFile, UnreadablePlaylist
from domain.playlist_formats import PlaylistFormat, parse, render
from tests.domain.playlist_files import RIGHT, playlists

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
SPACE = 'xmlns="http://xspf.org/ns/0/"'


def read(text: str | bytes) -> PlaylistFile:
    return parse(text.encode() if isinstance(text, str) else text, PlaylistFormat.XSPF)


def of_track(inside: str) -> FileTrack:
    (track,) = read(
        f"<playlist {SPACE}><trackList><track>{inside}</track></trackList></playlist>"
    ).tracks
    return track


@given(playlists)
def test_it_is_always_well_formed(playlist: PlaylistFile) -> None:
    root = ET.fromstring(render(playlist, PlaylistFormat.XSPF))

    assert root.tag == "{http://xspf.org/ns/0/}playlist"
    assert root.get("version") == "1"


def test_it_looks_as_players_expect() -> None:
    written = render(RIGHT, PlaylistFormat.XSPF).decode()

    assert written.startswith("<?xml version='1.0' encoding='utf-8'?>\n<playlist version=\"1\" ")
    assert written.endswith("</playlist>\n")
    assert "<annotation>for\nthe road</annotation>" in written
    first, second, third = (part.partition("</track>")[0] for part in written.split("<track>")[1:])
    assert [line.strip() for line in first.split("\n") if line.strip()] == [
        "<location>heartline:track:4uLU6hMCjMI75M1A2tKUQC</location>",
        "<identifier>urn:isrc:USPR36500003</identifier>",
        "<title>Feeling Good</title>",
        "<creator>Nina Simone</creator>",
        "<album>I Put a Spell on You</album>",
        "<trackNum>7</trackNum>",
        "<duration>174000</duration>",
    ]
    assert "<creator>Queen, David Bowie</creator>" in second
    assert second.count('<meta rel="heartline:artist">') == 2
    assert third.strip() == "<location>file:///music/x.mp3</location>"


def test_others_write_it_otherwise() -> None:
    told = read(f"""{HEAD}<x:playlist version="1" xmlns:x="http://xspf.org/ns/0/" xmlns:vlc="v">
  <!-- what VLC writes -->
  <x:title>A &amp; B</x:title>
  <vlc:title>not this</vlc:title>
  <x:extension application="vlc"><vlc:item tid="0"/><x:title>nor this</x:title></x:extension>
  <x:trackList>
    <x:track><x:title><![CDATA[<One>]]></x:title><vlc:title>no</vlc:title></x:track>
    <x:track/>
  </x:trackList>
</x:playlist>""")

    assert told == PlaylistFile("A & B", "", (FileTrack(title="<One>"), FileTrack()))
    assert [track.place for track in told.tracks] == ["line 8", "line 9"]


def test_older_files_have_no_namespace() -> None:
    told = read("<playlist><title>Old</title><trackList><track/></trackList></playlist>")

    assert told == PlaylistFile("Old", "", (FileTrack(),))


@pytest.mark.parametrize(
    ("inside", "track"),
    [
        ("<location>a</location><location>b</location>", FileTrack("a")),
        (
            "<location>a</location><location>heartline:track:b</location>",
            FileTrack("heartline:track:b"),
        ),
        ("<identifier>spotify:track:b</identifier>", FileTrack("spotify:track:b")),
        ("<identifier>URN:ISRC:US-RC1-76-07839</identifier>", FileTrack(isrc="USRC17607839")),
        (
            "<identifier>isrc:USRC17607839</identifier><identifier>i</identifier>",
            FileTrack("i", isrc="USRC17607839"),
        ),
        ("<identifier>isrc:none</identifier>", FileTrack()),
        ("<creator>A</creator><creator>B</creator>", FileTrack(artists=("A",))),
        (
            "<creator>A, B</creator><meta rel='heartline:artist'>A</meta>"
            "<meta rel='title'>x</meta><meta>y</meta><meta rel='heartline:artist'>B</meta>",
            FileTrack(artists=("A", "B")),
        ),
        ("<duration>1000</duration><trackNum>3</trackNum>", FileTrack(duration_ms=1_000, number=3)),
        ("<duration>0</duration><trackNum>-3</trackNum>", FileTrack()),
        ("<duration>9999999999999999999</duration>", FileTrack()),
        ("<title>a<b>c</b>d</title>", FileTrack(title="ad")),
        ("<title> a\n b </title>", FileTrack(title="a  b")),
    ],
)
def test_a_track_is_read(inside: str, track: FileTrack) -> None:
    assert of_track(inside) == track


BOMB = (
    HEAD
    + '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    + '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    + "<playlist><title>&c;</title></playlist>"
)


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("", 1, "no element found"),
        ("<playlist>\n<title>", 2, "no element found"),
        ("<playlist>\n</title>", 2, "mismatched tag"),
        ("no XML", 1, "syntax error"),
        ("\n<rss/>", 2, "it is no XSPF, which begins with <playlist>"),
        ("<playlist xmlns='other'/>", 1, "it is no XSPF, which begins with <playlist>"),
        (BOMB, 2, "a DOCTYPE is not taken"),
        ("<!DOCTYPE playlist><playlist/>", 1, "a DOCTYPE is not taken"),
        (
            "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><playlist>&e;</playlist>",
            1,
            "a DOCTYPE is not taken",
        ),
        ("<playlist>&nbsp;</playlist>", 1, "undefined entity"),
        ("<?xml version='1.0' encoding='x'?><playlist/>", 1, "unknown encoding: x"),
        ("<?xml version='1.0' encoding='utf-7'?><playlist/>", 1, "multi-byte encodings are not"),
        ("<playlist>\n" + "<a>" * 40, 2, "elements are nested deeper than 32"),
        ("<playlist>\x01</playlist>", 1, "not well-formed (invalid token)"),
    ],
)
def test_what_is_none_is_refused_with_its_line(text: str, line: int, fault: str) -> None:
    with pytest.raises(UnreadablePlaylist) as caught:
        read(text)

    assert caught.value.place == f"line {line}"
    assert caught.value.fault.startswith(fault)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_other_encodings_are_read_where_they_are_named(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><playlist><title>Björk</title></playlist>'

    assert read(text.encode(encoding)).title == "Björk"


@pytest.mark.parametrize(
    "filling",
    [b"<a>", b"<playlist>", b"<!--", b"<playlist a='", b"<a/>", b"<playlist><title>x", b"&#65;"],
)
def test_large_nonsense_is_refused_at_once(filling: bytes) -> None:
    data = (b"<playlist>" + filling * (MOST_BYTES // len(filling)))[:MOST_BYTES]

    with pytest.raises(UnreadablePlaylist):
        read(data)
