"""`heartline playlist show`."""

import argparse
import asyncio
from typing import Any

from rich.console import Console

from heartline.commands.playlist_api import id_of, items_of, opened, typed
from heartline.commands.playlist_objects import Playlist
from heartline.commands.playlist_picture import picture
from heartline.terminal import say_json


def run(options: argparse.Namespace) -> int:
    """Show a playlist, as a table or as the endpoint would, with all items on one page."""
    told, items = asyncio.run(_read(options))
    if options.json:
        shown = {name: value for name, value in told.items() if name != "tracks"}
        say_json({**shown, "items": items, "total": len(items)})
    else:
        Console(highlight=False).print(picture(typed(told, Playlist), items_of(items)))
    return 0


async def _read(options: argparse.Namespace) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    playlist_id = id_of(options.id)
    async with opened(options.data, options.name_of_account) as api:
        return await api.playlist(playlist_id)
