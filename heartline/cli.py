"""The command line: which module does what was asked, and what is said when it cannot be done."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from domain.errors import HeartlineError, Refused
from heartline.command_parser import parser
from heartline.settings import BadSettings, unknown, variable
from heartline.terminal import Failure, note

WRONG_USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    for name in unknown(os.environ):
        note(f"{name} is no setting of Heartline and changes nothing")
    try:
        options = parser().parse_args(argv)
        options.data = _data(options)
        run: Callable[[argparse.Namespace], int] = import_module(options.module).run
        return run(options)
    except Failure as failure:
        note(failure.line)
        return failure.status
    except BadSettings as error:
        for problem in error.problems:
            note(problem)
        return WRONG_USAGE
    except HeartlineError as error:
        note(str(error) or type(error).__name__)
        return WRONG_USAGE if isinstance(error, Refused) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _data(options: argparse.Namespace) -> Path:
    data = options.data or os.environ.get(variable("data")) or "data"
    return Path(data).absolute()
