"""`catalogue import`."""

from pathlib import Path

from heartline.arguments.command import Commands, command


def declare_catalogue(commands: Commands) -> None:
    """Declare `catalogue` and its commands."""
    catalogue = commands.add_parser("catalogue", help="bring artists, albums and tracks in")
    catalogue_commands = catalogue.add_subparsers(metavar="COMMAND", required=True)
    _import(catalogue_commands)


def _import(commands: Commands) -> None:
    bring_in = command(
        commands,
        "import",
        "heartline.commands.catalogue_import",
        "bring a catalogue in from files",
        "Reads CSV (also .gz; between commas, semicolons or tabs) and Parquet with the columns id,\n"
        "title, artist, album, album_artist, disc_number, track_number, release_date, duration_ms,\n"
        "explicit, isrc, upc, genres, popularity; SQLite with the tables of Chinook; tagged audio\n"
        "files and folders of them. title and artist are required, several artists or genres stand\n"
        "between |. Rows that cannot be taken are told with file and line, the others are imported.\n"
        "The same file twice changes nothing; one that was interrupted goes on when begun again.",
    )
    bring_in.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="a catalogue, or a folder of audio files",
    )
    bring_in.add_argument(
        "--map",
        action="append",
        dest="mapping",
        default=[],
        metavar="OURS=THEIRS",
        help="what the file calls a column: title=track_name,artist=singer",
    )
    bring_in.add_argument(
        "--dry-run", action="store_true", help="tell what would be changed, and change nothing"
    )
