"""`heartline minutes`."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console

from domain.calendar import IsoWeek, week_at
from domain.rows import Play
from domain.units import SECOND_MS
from heartline import wiring
from heartline.chart import Played, chart
from heartline.terminal import fail, say
from serve.catalogue_joins import known_tracks
from serve.catalogue_objects import Known
from serve.listening import Minutes, WeekMinutes
from stores.catalogue import Catalogue

PLAYS = 5  # the last, below the week


def run(options: argparse.Namespace) -> int:
    """Show a week, as a chart or as the endpoint would."""
    week = IsoWeek.parse(options.week) if options.week and options.week != "current" else None
    minutes, played = asyncio.run(_week(options, week))
    if options.json:
        say(msgspec.json.encode(minutes).decode())
    else:
        Console(highlight=False).print(chart(options.name, minutes, played))
    return 0


async def _week(
    options: argparse.Namespace, week: IsoWeek | None
) -> tuple[WeekMinutes, list[Played]]:
    """Read a week and, where it is the current one on a chart, what was played last."""
    now_ms = wiring.now_ms()
    settings = wiring.settings(options.data)
    async with wiring.store(settings) as tables:
        accounts = wiring.accounts(tables)
        account = await accounts.by_name(options.name)
        if account is None:
            fail(f"no account is named {options.name!r}")
        if not wiring.has_log(settings):
            fail(f"nobody has listened on {options.data} yet: start it with `heartline up`")
        async with wiring.log_of(settings) as log:
            rows = wiring.listening(tables, settings)
            reader = Minutes(
                rows,
                accounts,
                generation=log.generation,
                now_ms=wiring.now_ms,
            )
            of = week or week_at(account.zones, now_ms)
            minutes = await reader.week(account.listener_id, account.zones, of, now_ms=now_ms)
        if week or options.json:
            return minutes, []
        plays = await rows.plays_before(account.listener_id, None, PLAYS)
        return minutes, await _named(plays, Catalogue(tables), minutes.time_zone)


async def _named(plays: Sequence[Play], catalogue: Catalogue, time_zone: str) -> list[Played]:
    known = await known_tracks(catalogue, {play.track_id for play in plays})
    zone = ZoneInfo(time_zone)
    return [
        Played(
            datetime.fromtimestamp(play.played_at_ms / SECOND_MS, UTC).astimezone(zone),
            _what(play.track_id, known),
        )
        for play in plays
    ]


def _what(track_id: str, known: Known) -> str:
    track = known.tracks.get(track_id)
    if track is None:
        return f"track {track_id}"
    artists = [known.artists[each].name for each in track.artists if each in known.artists]
    return " · ".join(filter(None, (track.name, ", ".join(artists))))
