"""`up`."""

from dataclasses import fields

from heartline.arguments.command import Commands, command
from heartline.settings import Settings, variable


def declare_up(commands: Commands) -> None:
    """Declare `up`."""
    up = command(
        commands,
        "up",
        "heartline.commands.up",
        "start Heartline in the foreground",
        "Prints `Heartline is ready at URL` once everything answers. Ctrl-C or SIGTERM stops it\n"
        "cleanly; a second one stops it at once. Each flag can be given as a HEARTLINE_... variable.",
    )
    up.add_argument(
        "--demo", action="store_true", help="make a demo listener, a past and a crowd that listens"
    )
    for each in fields(Settings):
        if each.name == "data":
            continue
        flag, text = "--" + each.name.replace("_", "-"), str(each.metadata["help"])
        if each.default is False:
            up.add_argument(flag, action="store_const", const="1", help=text)
        else:
            known = ["yes" if each.default is True else str(each.default)] if each.default else []
            shown = f"{text} ({'; '.join([*known, variable(each.name)])})"
            up.add_argument(flag, metavar=each.name.rpartition("_")[2].upper(), help=shown)
