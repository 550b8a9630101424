"""What the command line says: results on standard output, everything else on standard error."""

import json
import sys
from typing import Any, NoReturn


class Failure(Exception):
    """Raised to end a command with one line that says what and what to do, and a status."""

    def __init__(self, line: str, status: int = 1) -> None:
        super().__init__(line, status)
        self.line, self.status = line, status

    def __str__(self) -> str:
        return self.line


def say(line: str) -> None:
    """Print a result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_json(document: Any) -> None:
    """Print the one JSON document of ``--json``."""
    say(json.dumps(document, ensure_ascii=False))


def note(line: str) -> None:
    """Tell the person something that is not the result."""
    sys.stderr.write(f"heartline: {line}\n")
    sys.stderr.flush()


def fail(line: str, status: int = 1) -> NoReturn:
    """End the command.

    Raises
    ------
    Failure
        Always.
    """
    raise Failure(line, status)
