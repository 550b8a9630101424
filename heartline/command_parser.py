"""Every command of the command line; `heartline.arguments` declares each.

Nothing heavy is imported until a command runs, so that ``heartline --help`` answers at once.
"""

import argparse
from importlib.metadata import PackageNotFoundError, version

from heartline.arguments import (
    accounts,
    carrying,
    catalogue,
    listening,
    operating,
    playlists,
    recounts,
    searching,
    up,
)
from heartline.arguments.command import shared

IN_ORDER = (
    up.declare_up,
    accounts.declare_account,
    accounts.declare_token,
    listening.declare_replay,
    listening.declare_minutes,
    catalogue.declare_catalogue,
    searching.declare_search,
    playlists.declare_playlist,
    operating.declare_status,
    recounts.declare_recount,
    recounts.declare_reprocess,
    carrying.declare_archive,
    carrying.declare_gather,
    operating.declare_store,
    operating.declare_cluster,
)

EXAMPLES = """\
examples:
  heartline up --demo                          start, with a listener and a crowd to look at
  heartline account create ann --time-zone Asia/Kolkata
  heartline minutes ann                        this week, as a chart
  heartline minutes ann --week 2026-W47 --json
  heartline replay my_spotify_data.zip --as ann --at-once
  heartline catalogue import songs.csv.gz --map title=track_name,artist=track_artist
  heartline playlist import "road trip.m3u8" --as ann
  curl -H "Authorization: Bearer $(heartline token ann)" localhost:8000/v1/me

Every command takes --data DIR (else HEARTLINE_DATA, else ./data) and --json. Exit status: 0 done,
1 failed, 2 wrong usage or settings.
"""


def parser() -> argparse.ArgumentParser:
    """Describe every command."""
    top = argparse.ArgumentParser(
        prog="heartline",
        description="Heartline: what everybody listens to, live and exactly.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"heartline {_version()}")
    shared(top, default=None)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for declare in IN_ORDER:
        declare(commands)
    return top


def _version() -> str:
    try:
        return version("heartline")
    except PackageNotFoundError:
        return "(not installed)"
