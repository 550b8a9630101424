"""`heartline up`."""

import argparse
import os

from heartline import supervisor
from heartline.settings import Settings, variable

DEMO_COMMIT_WINDOW_MS = 5_000  # somebody is looking at it


def run(options: argparse.Namespace) -> int:
    """Start, and stay until told to stop."""
    given = vars(options)
    if options.demo and not os.environ.get(variable("commit_window_ms")):
        given["commit_window_ms"] = given["commit_window_ms"] or DEMO_COMMIT_WINDOW_MS
    settings = Settings.from_environ(os.environ, given)
    return supervisor.run(settings, environ=os.environ, demo=options.demo)
