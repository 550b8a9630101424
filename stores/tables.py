"""Every wide-column table, declared once: CQL and SQLite's DDL are rendered from these."""

from domain.ports import Column, Table

LISTENER = {"listener": Column.TEXT}
ARTIST = {"artist": Column.TEXT}
ALBUM = {"album": Column.TEXT}
TRACK = {"track": Column.TEXT}
STATE = {"state": Column.BLOB}
DOCUMENT = {"document": Column.BLOB}

LISTENING_HOURS = Table(
    "listening_hours",
    partition=LISTENER,
    clustering={"hour": Column.INT},
    values=STATE,
    stamped=True,
)
LISTENING_WEEKS = Table(
    "listening_weeks",
    partition=LISTENER,
    clustering={"week": Column.INT},
    values=STATE,
    stamped=True,
)
PLAYS = Table(
    "plays", partition=LISTENER, clustering={"play": Column.INT}, values=STATE, stamped=True
)
ERASURES = Table("erasures", partition=LISTENER, values=STATE, stamped=True)
TRACK_PLAYS = Table(
    "track_plays",
    partition=TRACK,
    clustering={"part": Column.INT},
    values=STATE,
    stamped=True,
)
PROGRESS = Table("progress", partition={"part": Column.INT}, values=STATE, stamped=True)

ACCOUNTS = Table("accounts", partition=LISTENER, values={"name": Column.TEXT, **DOCUMENT})
ACCOUNT_NAMES = Table("account_names", partition={"name": Column.TEXT}, values=LISTENER)
REFRESH_FAMILIES = Table(
    "refresh_families", partition=LISTENER, clustering={"family": Column.TEXT}, values=DOCUMENT
)
LOGIN_ATTEMPTS = Table("login_attempts", partition={"name": Column.TEXT}, values=DOCUMENT)

ARTISTS = Table("artists", partition=ARTIST, values=STATE, stamped=True)
ALBUMS = Table("albums", partition=ALBUM, values=STATE, stamped=True)
TRACKS = Table("tracks", partition=TRACK, values=STATE, stamped=True)
ALBUM_TRACKS = Table(
    "album_tracks",
    partition=ALBUM,
    clustering={"disc": Column.INT, "number": Column.INT, **TRACK},
    values=STATE,
    stamped=True,
)
ARTIST_ALBUMS = Table(
    "artist_albums", partition=ARTIST, clustering=ALBUM, values=STATE, stamped=True
)
ARTIST_TRACKS = Table(
    "artist_tracks", partition=ARTIST, clustering=TRACK, values=STATE, stamped=True
)
CATALOGUE_PROGRESS = Table(
    "catalogue_progress", partition={"part": Column.INT}, values=STATE, stamped=True
)
ISRCS = Table("isrcs", partition={"isrc": Column.TEXT}, values=TRACK)

PLAYLIST = {"playlist": Column.TEXT}
PLAYLISTS = Table("playlists", partition=PLAYLIST, values=DOCUMENT)
PLAYLIST_PARTS = Table(
    "playlist_parts",
    partition=PLAYLIST,
    clustering={"kind": Column.TEXT, "first": Column.INT, "last": Column.INT},
    values=DOCUMENT,
)
PLAYLIST_COVERS = Table(
    "playlist_covers", partition=PLAYLIST, clustering={"name": Column.TEXT}, values=DOCUMENT
)
PLAYLIST_FOLLOWERS = Table(
    "playlist_followers", partition=PLAYLIST, clustering=LISTENER, values=STATE, stamped=True
)
PLAYLIST_VISITORS = Table(
    "playlist_visitors",
    partition=PLAYLIST,
    clustering={"session": Column.TEXT},
    values=STATE,
    stamped=True,
)
LISTENER_PLAYLISTS = Table(
    "listener_playlists", partition=LISTENER, clustering=PLAYLIST, values=STATE, stamped=True
)

TABLES = (
    LISTENING_HOURS,
    LISTENING_WEEKS,
    PLAYS,
    ERASURES,
    TRACK_PLAYS,
    PROGRESS,
    ACCOUNTS,
    ACCOUNT_NAMES,
    REFRESH_FAMILIES,
    LOGIN_ATTEMPTS,
    ARTISTS,
    ALBUMS,
    TRACKS,
    ALBUM_TRACKS,
    ARTIST_ALBUMS,
    ARTIST_TRACKS,
    CATALOGUE_PROGRESS,
    ISRCS,
    PLAYLISTS,
    PLAYLIST_PARTS,
    PLAYLIST_COVERS,
    PLAYLIST_FOLLOWERS,
    PLAYLIST_VISITORS,
    LISTENER_PLAYLISTS,
)
