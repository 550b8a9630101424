"""An import: files are read and put together on disk, then published where they differ.

Nothing is published before all files are read, so that a damaged one changes nothing. An import that
was interrupted is begun anew: what stands already is only compared.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from domain.catalogue import EntityKind
from heartline.importing.entities import Said, said_by
from heartline.importing.gathered import Gathered
from heartline.importing.outcome import Outcome
from heartline.importing.publishing import publish
from heartline.importing.rows import Fault
from heartline.importing.sources import rows_of
from heartline.importing.targets import Target

BATCH = 4_096

Advance = Callable[[int], object]  # told how many more are done


def gather(
    paths: Iterable[Path],
    mapping: Mapping[str, str],
    gathered: Gathered,
    outcome: Outcome,
    advance: Advance,
) -> None:
    """Read all files into *gathered*.

    Raises
    ------
    UnreadableCatalogue
        One of them is no catalogue, or damaged.
    """
    said = _said(paths, mapping, outcome)
    while batch := list(islice(said, BATCH)):
        for fault in gathered.add(batch):
            outcome.refuse(fault)
        advance(len(batch))


async def publish_all(
    gathered: Gathered, target: Target, outcome: Outcome, advance: Advance
) -> None:
    """Publish what was gathered; what others name comes first."""
    for kind in EntityKind:
        for batch in gathered.batches(kind, BATCH):
            await publish(batch, target, outcome)
            advance(len(batch))


def _said(
    paths: Iterable[Path], mapping: Mapping[str, str], outcome: Outcome
) -> Iterator[tuple[str, Said]]:
    for path in paths:
        for row in rows_of(path, mapping):
            outcome.rows += 1
            said = row if isinstance(row, Fault) else said_by(row)
            if isinstance(said, Fault):
                outcome.refuse(said)
            else:
                yield row.where, said
