"""`replay` and `minutes`."""

import sys
from importlib import import_module

from heartline.arguments.command import Commands, command, week


def declare_replay(commands: Commands) -> None:
    """Declare `replay`."""
    replay = command(
        commands,
        "replay",
        "heartline.commands.replay",
        "send a listening history as heartbeats",
        "Reads Spotify's exports (JSON, also zipped), Last.fm-1K TSV and ListenBrainz JSON. Plays are\n"
        "moved by the largest whole number of weeks that keeps the newest in the past, unless\n"
        "--shift-weeks says otherwise. The same file twice changes nothing.",
    )
    if "replay" in sys.argv:  # its arguments stand beside its code, which takes a while to import
        import_module("heartline.replay").add_arguments(replay)


def declare_minutes(commands: Commands) -> None:
    """Declare `minutes`."""
    minutes = command(
        commands,
        "minutes",
        "heartline.commands.minutes",
        "show the minutes that somebody listened in a week",
        "Reads the store; works whether or not `heartline up` runs.",
    )
    minutes.add_argument("name", metavar="NAME")
    week(minutes, "the week (the current one, in the listener's time zone)")
