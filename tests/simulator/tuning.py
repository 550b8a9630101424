"""What is set otherwise while a world is simulated: windows shorter, groups smaller, memory scarce."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import actors.partition
import actors.record_groups
import heartline.generations
import streams.following
import streams.housekeeping
import streams.tailer
from domain.errors import LogBehindStore, StoreBehindLog, Unavailable
from domain.fold import Fold
from domain.kernels.state import Columns, Resolved
from domain.rows import Rows
from streams.arrivals import Arrivals
from tests.simulator.world import Broken, Fault, World

EXPECTED = (Broken, MemoryError, Unavailable)
NEVER = (LogBehindStore, StoreBehindLog)  # nobody restores a backup


@contextmanager
def tuned(world: World) -> Iterator[None]:
    """Run under the conditions of a world; whatever is logged as an exception is noted in it."""
    conditions = world.conditions
    with ExitStack() as stack:
        for module, name, value in (
            (actors.partition, "SWEEP_EVERY", conditions.sweep_every),
            (actors.record_groups, "MOST_ROWS", conditions.most_rows),
            (actors.partition, "Fold", _scarce(world)),
            (streams.tailer, "MOST_BYTES", conditions.most_bytes),
            (streams.tailer, "IDLE_S", 3.0),
            (streams.following, "MOST_BYTES", conditions.most_bytes),
            (streams.following, "Arrivals", partial(Arrivals, 2 * conditions.most_bytes)),
            (streams.housekeeping, "EVERY_S", 5.0),
            (heartline.generations, "note", lambda line: world.say("driver", line)),
        ):
            stack.enter_context(replaced(module, name, value))
        stack.enter_context(_witnessed(world))
        yield


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Put something else in the place of an attribute for a while."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def is_expected(error: BaseException | None) -> bool:
    """Whether an error is one that the world brings about."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_expected(each) for each in error.exceptions)
    return isinstance(error, EXPECTED) and not isinstance(error, NEVER)


def _scarce(world: World) -> type[Fold]:
    class ScarceFold(Fold):
        """A fold that now and then has no memory left when it is nearly done."""

        def apply(self, batch: Columns, found: Resolved) -> list[str]:
            erased = super().apply(batch, found)
            _fail_now_and_then(world)
            return erased

        def collect(self) -> Rows:
            rows = super().collect()
            if rows:
                _fail_now_and_then(world)
            return rows

    return ScarceFold


def _fail_now_and_then(world: World) -> None:
    if world.strikes(Fault.MEMORY):
        world.happened(Fault.MEMORY)
        raise MemoryError


class _Witness(logging.Handler):
    """Notes exceptions that somebody caught and logged."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.say(record.name, record.getMessage())
        error = record.exc_info[1] if record.exc_info else None
        if error and not is_expected(error):
            self._world.unexpected.append(error)


@contextmanager
def _witnessed(world: World) -> Iterator[None]:
    witness = _Witness(world)
    loggers = [logging.getLogger(name) for name in ("actors", "streams")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(witness)
        logger.propagate = False
        logger.setLevel(logging.WARNING)  # whatever others have set: it is in the trace
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for logger in loggers:
            logger.removeHandler(witness)
            logger.propagate = True
