"""`heartline catalogue import`."""

import argparse
import asyncio

from heartline.importing.columns import mapping_of
from heartline.importing.gathered import Gathered
from heartline.importing.importer import gather, publish_all
from heartline.importing.opened import catalogue_target, dry_run_target
from heartline.importing.outcome import Outcome
from heartline.progress import progress_bar
from heartline.terminal import fail, note, say, say_json


def run(options: argparse.Namespace) -> int:
    """Bring the files in, and tell what came of it."""
    try:
        mapping = mapping_of(options.mapping)
    except ValueError as error:
        fail(f"--map {error}", 2)
    outcome = Outcome()
    try:
        _import(options, mapping, outcome)
    except KeyboardInterrupt:
        note("interrupted: the same again goes on, and changes nothing twice")
        _tell(options, outcome)
        return 1
    _tell(options, outcome)
    return 1 if outcome.is_in_vain else 0


def _import(options: argparse.Namespace, mapping: dict[str, str], outcome: Outcome) -> None:
    with Gathered() as gathered, progress_bar() as progress:
        reading = progress.add_task("Reading", total=None)
        gather(options.files, mapping, gathered, outcome, lambda n: progress.advance(reading, n))
        progress.update(reading, total=outcome.rows, completed=outcome.rows)
        task = progress.add_task("Comparing" if options.dry_run else "Importing")
        progress.update(task, total=gathered.size())

        async def publish() -> None:
            opened = dry_run_target if options.dry_run else catalogue_target
            async with opened(options.data) as target:
                await publish_all(gathered, target, outcome, lambda n: progress.advance(task, n))

        asyncio.run(publish())


def _tell(options: argparse.Namespace, outcome: Outcome) -> None:
    if options.json:
        say_json(outcome.document())
    else:
        say(f"{outcome.rows} rows: {outcome.sentence()}")
