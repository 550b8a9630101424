"""What the declarations of commands are made of."""

import argparse
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def shared(parser: argparse.ArgumentParser, *, default: object = argparse.SUPPRESS) -> None:
    """Declare what every command takes."""
    parser.add_argument(
        "--data", metavar="DIR", type=Path, default=default, help="the data directory"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        default=default or False,
        help="print one JSON document for machines",
    )


def command(
    commands: Commands, name: str, module: str, summary: str, more: str = ""
) -> argparse.ArgumentParser:
    """Declare a command that *module* does."""
    made = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=more or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shared(made)
    made.set_defaults(module=module)
    return made


def week(parser: argparse.ArgumentParser, text: str) -> None:
    """Declare --week."""
    parser.add_argument("--week", metavar="YYYY-Www", help=text)
