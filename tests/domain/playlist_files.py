"""Playlists as files may tell of them, tidy and not."""

from hypothesis import strategies as st

from domain.catalogue_items import MOST_DURATION_MS
from domain.playlist_files import FileTrack, PlaylistFile

RIGHT = PlaylistFile(
    "Road trip",
    "for\nthe road",
    (
        FileTrack(
            "heartline:track:4uLU6hMCjMI75M1A2tKUQC",
            "Feeling Good",
            ("Nina Simone",),
            "I Put a Spell on You",
            174_000,
            "USPR36500003",
            7,
        ),
        FileTrack(title="Under Pressure", artists=("Queen", "David Bowie")),
        FileTrack("file:///music/x.mp3"),
    ),
)

ODD = (" - ", " -", "- ", "#", "&amp;", "<b>", "]]>", '"', ",", "\r\n", "\t", "\x00", "\ufffe")
texts = st.text(st.characters(exclude_categories=()), max_size=12) | st.lists(
    st.sampled_from((*ODD, "a", "Ünï", " ", "\ud800", "\u2028", "\U0001f3b5")), max_size=5
).map("".join)
uris = texts | st.sampled_from(
    ["heartline:track:4uLU6hMCjMI75M1A2tKUQC", "/music/a b.mp3", "#1.mp3", "urn:isrc:USRC17607839"]
)
tracks = st.builds(
    FileTrack,
    uri=uris,
    title=texts,
    artists=st.lists(texts, max_size=3).map(tuple),
    album=texts,
    duration_ms=st.none() | st.integers(-1, MOST_DURATION_MS + 1),
    isrc=st.sampled_from(["", "USRC17607839", "us-rc1-76-07839", "no code"]),
    number=st.none() | st.integers(-1, 10_001),
)
playlists = st.builds(
    PlaylistFile, title=texts, description=texts, tracks=st.lists(tracks, max_size=4).map(tuple)
)
