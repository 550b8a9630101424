"""`heartline catalogue generate`."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from domain.catalogue import Entity
from heartline.importing.gathered import Told
from heartline.importing.opened import catalogue_target
from heartline.importing.outcome import Outcome
from heartline.importing.publishing import publish
from heartline.progress import progress_bar
from heartline.synthetic.catalogue import synthetic_catalogue
from heartline.synthetic.parquet import write_parquet
from heartline.terminal import note, say, say_json

MADE = "synthetic catalogue"


def run(options: argparse.Namespace) -> int:
    """Make a catalogue, in a file or in the data directory."""
    with progress_bar() as progress:
        task = progress.add_task("Making", total=options.tracks)

        def advance(tracks: int) -> None:
            progress.advance(task, tracks)

        if options.to is not None:
            return _write(options, advance)
        outcome = Outcome()
        try:
            asyncio.run(_publish(options, outcome, advance))
        except KeyboardInterrupt:
            note("interrupted: the same again goes on")
            return 1
    if options.json:
        say_json(outcome.document())
    else:
        say(f"{outcome.rows} tracks made: {outcome.sentence()}")
    return 0


def _write(options: argparse.Namespace, advance: Callable[[int], None]) -> int:
    path: Path = options.to
    write_parquet(path, synthetic_catalogue(options.tracks, seed=options.seed), advance)
    if options.json:
        say_json({"rows": options.tracks, "file": str(path)})
    else:
        say(f"{options.tracks} tracks in {path}.")
    return 0


async def _publish(
    options: argparse.Namespace, outcome: Outcome, advance: Callable[[int], None]
) -> None:
    async with catalogue_target(options.data) as target:
        for block in synthetic_catalogue(options.tracks, seed=options.seed):
            kinds: Sequence[Sequence[Entity]] = (block.artists, block.albums, block.tracks)
            for entities in kinds:
                await publish([Told(entity, MADE) for entity in entities], target, outcome)
            outcome.rows += len(block.tracks)
            advance(len(block.tracks))
