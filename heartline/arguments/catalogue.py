"""`catalogue import` and `catalogue generate`."""

import argparse
from pathlib import Path

from heartline.arguments.command import Commands, command

MOST_TRACKS = 1_000_000_000


def declare_catalogue(commands: Commands) -> None:
    """Declare `catalogue` and its commands."""
    catalogue = commands.add_parser("catalogue", help="bring artists, albums and tracks in")
    catalogue_commands = catalogue.add_subparsers(metavar="COMMAND", required=True)
    _import(catalogue_commands)
    _generate(catalogue_commands)


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


def _generate(commands: Commands) -> None:
    generate = command(
        commands,
        "generate",
        "heartline.commands.catalogue_generate",
        "make a synthetic catalogue, for benchmarks",
        "Names in several languages and scripts, few of them famous. A seed always makes the same,\n"
        "and a smaller catalogue is the beginning of a larger one.",
    )
    generate.add_argument("tracks", type=_tracks, metavar="N", help="how many tracks")
    generate.add_argument("--seed", type=_seed, default=0, metavar="S", help="which catalogue (0)")
    generate.add_argument(
        "--to", type=Path, metavar="FILE", help="a Parquet file to write, not the catalogue"
    )


def _tracks(text: str) -> int:
    tracks = int(text)
    if not 1 <= tracks <= MOST_TRACKS:
        raise argparse.ArgumentTypeError(f"wants 1 to {MOST_TRACKS} tracks")
    return tracks


def _seed(text: str) -> int:
    seed = int(text)
    if seed < 0:
        raise argparse.ArgumentTypeError("wants 0 or more")
    return seed
