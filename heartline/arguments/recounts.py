"""`recount` and `reprocess`."""

from heartline.arguments.command import Commands, command, week


def declare_recount(commands: Commands) -> None:
    """Declare `recount`."""
    recount = command(
        commands,
        "recount",
        "heartline.commands.recount",
        "count everything again from the log, and compare with the store",
        "Prints each difference; exit status 1 if there is one. Weeks that the log no longer holds\n"
        "whole are refused; the warehouse has those. With RAY_ADDRESS the cluster there shares the\n"
        "work on the warehouse; RAY_ADDRESS=local starts one on this machine.",
    )
    recount.add_argument(
        "--from",
        dest="source",
        choices=("log", "warehouse"),
        default="log",
        help="where heartbeats are read: the log, or for a --week the warehouse (log)",
    )
    recount.add_argument(
        "--repair", action="store_true", help="make stored rows anew that cannot be read"
    )
    week(recount, "only this week, in each listener's time zone (everything)")


def declare_reprocess(commands: Commands) -> None:
    """Declare `reprocess`."""
    reprocess = command(
        commands,
        "reprocess",
        "heartline.commands.reprocess",
        "correct a week that is past the late limit, from the warehouse",
        "Prints each number that is another one now. Doing it again changes nothing. Counts of\n"
        "tracks stay as they are. RAY_ADDRESS shares the work as for `recount --from warehouse`.",
    )
    reprocess.add_argument("--week", metavar="YYYY-Www", required=True, help="the week")
