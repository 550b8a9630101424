"""Every test, in processes side by side: what is marked `beside` or `servers` mostly waits for others.

What those beside say is told when the first is done.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO

PYTEST = (sys.executable, "-m", "pytest")
HERE = "not beside and not servers"
BESIDE = ("servers", "beside and not servers")


def main(arguments: list[str]) -> int:
    """Run all with *arguments*; the exit status is 0 if all are well."""
    with ExitStack() as stack:
        beside = [_begun(marks, arguments, stack) for marks in BESIDE]
        here = subprocess.run([*PYTEST, "-m", HERE, *arguments], check=False)
        there = [process.wait() for process, _ in beside]
        for _, told in beside:
            told.seek(0)
            sys.stdout.write(told.read())
    return first_bad([here.returncode, *there])


def first_bad(statuses: Sequence[int]) -> int:
    """Tell the first that is not 0; it is below 0 of who was killed by a signal."""
    return next(filter(None, statuses), 0)


def _begun(
    marks: str, arguments: list[str], stack: ExitStack
) -> tuple["subprocess.Popen[str]", IO[str]]:
    told = stack.enter_context(tempfile.TemporaryFile("w+"))  # noqa: SIM115  (it is one)
    process = subprocess.Popen(
        [*PYTEST, "-m", marks, "-p", "no:cacheprovider", *arguments],
        stdout=told,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process, told


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
