"""`archive` and `gather`: what `up` does too, in the foreground."""

from heartline.arguments.command import Commands, command


def declare_archive(commands: Commands) -> None:
    """Declare `archive`."""
    archive = command(
        commands,
        "archive",
        "heartline.commands.archive",
        "carry heartbeats from the log to the warehouse, in the foreground",
        "`heartline up` does so by itself unless HEARTLINE_ARCHIVE is no; several at once do no harm.\n"
        "Ctrl-C or SIGTERM stops it; whatever stops it, nothing is missing or there twice.",
    )
    archive.add_argument(
        "--once", action="store_true", help="stop when everything that is in the log was carried"
    )


def declare_gather(commands: Commands) -> None:
    """Declare `gather`."""
    command(
        commands,
        "gather",
        "heartline.commands.gather",
        "bring other producers' heartbeats into the log",
        "Reads the Kafka topic heartbeats_json, one heartbeat a record, beside the gatherers that\n"
        "`heartline up` runs there. Refused ones go to heartbeats_json.dead, with the reason.\n"
        "Ctrl-C or SIGTERM ends it cleanly; what it had taken is taken again by the others.",
    )
