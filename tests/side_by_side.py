"""Every test, in two processes side by side: what is marked `beside` mostly waits for others.

What the second process says is told when the first is done.
"""

import subprocess
import sys
import tempfile

PYTEST = (sys.executable, "-m", "pytest")


def main(arguments: list[str]) -> int:
    """Run both with *arguments*; the exit status is 0 if both are well."""
    with tempfile.TemporaryFile("w+") as told:
        beside = subprocess.Popen(
            [*PYTEST, "-m", "beside", "-p", "no:cacheprovider", *arguments],
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        try:
            here = subprocess.run([*PYTEST, "-m", "not beside", *arguments], check=False)
            there = beside.wait()
        finally:
            beside.terminate()
            beside.wait()
        told.seek(0)
        sys.stdout.write(told.read())
    return here.returncode or there


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
