"""`playlist show`, `playlist export` and `playlist import`."""

import argparse
from pathlib import Path

from heartline.arguments.command import Commands, command

FORMATS = ("m3u8", "xspf", "jspf")
WHOSE = "the account that acts (what operators may see)"


def declare_playlist(commands: Commands) -> None:
    """Declare `playlist` and its commands."""
    playlist = commands.add_parser("playlist", help="show playlists, bring them in and out")
    playlist_commands = playlist.add_subparsers(metavar="COMMAND", required=True)
    _show(playlist_commands)
    _export(playlist_commands)
    _import(playlist_commands)


def _show(commands: Commands) -> None:
    show = command(
        commands,
        "show",
        "heartline.commands.playlist_show",
        "show a playlist and its tracks",
        "Asks the `heartline up` that runs on the data directory. With --json it prints what\n"
        "GET /v1/playlists/ID answers, with all of its items.",
    )
    _id(show)
    _as(show, WHOSE)


def _export(commands: Commands) -> None:
    export = command(
        commands,
        "export",
        "heartline.commands.playlist_export",
        "write a playlist for other programs",
        "Writes M3U8, XSPF or JSPF, as --format or the ending of --output says, else M3U8; on\n"
        "standard output with --json, JSPF. A file is there when it is whole.",
    )
    _id(export)
    _format(export)
    export.add_argument("--output", type=Path, metavar="FILE", help="a file (standard output)")
    export.add_argument("--force", action="store_true", help="write over a file that is there")
    _as(export, WHOSE)


def _import(commands: Commands) -> None:
    bring_in = command(
        commands,
        "import",
        "heartline.commands.playlist_import",
        "make a playlist of a file of another program",
        "Reads M3U8, XSPF and JSPF. Tracks that heartline:track: or spotify:track: names are taken\n"
        "as they are; others are looked for in the catalogue, by ISRC, then by artist and title.\n"
        "What is not found is told with its place in the file, and the rest is imported.",
    )
    bring_in.add_argument("file", metavar="FILE", help="a playlist; - for standard input")
    _format(bring_in)
    _as(bring_in, "the account whose playlist it becomes; --dry-run needs none")
    bring_in.add_argument("--name", help="what the playlist is called (as the file says)")
    bring_in.add_argument("--public", action="store_true", help="let everybody find it")
    bring_in.add_argument(
        "--into", metavar="ID", help="the playlist that an import which was interrupted had made"
    )
    bring_in.add_argument(
        "--dry-run", action="store_true", help="tell what would be added, and make nothing"
    )


def _id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a playlist's id, or heartline:playlist:ID")


def _as(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--as", dest="name_of_account", metavar="NAME", help=text)


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=FORMATS, help="the format of the file")
