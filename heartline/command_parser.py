"""Every command, in words, and which module does it.

Nothing heavy is imported until a command runs, so that ``heartline --help`` answers at once.
"""

import argparse
import sys
from dataclasses import fields
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeAlias

from heartline.settings import BACKENDS, Settings, variable

SCOPES = ("listener", "ingest", "operator", "metrics")

EXAMPLES = """\
examples:
  heartline up --demo                          start, with a listener and a crowd to look at
  heartline account create ann --time-zone Asia/Kolkata
  heartline minutes ann                        this week, as a chart
  heartline minutes ann --week 2026-W47 --json
  heartline replay my_spotify_data.zip --as ann --at-once
  curl -H "Authorization: Bearer $(heartline token ann)" localhost:8000/v1/me

Every command takes --data DIR (else HEARTLINE_DATA, else ./data) and --json. Exit status: 0 done,
1 failed, 2 wrong usage or settings.
"""


def parser() -> argparse.ArgumentParser:
    """Describe every command."""
    top = argparse.ArgumentParser(
        prog="heartline",
        description="Heartline: what everybody listens to, live and exactly.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"heartline {_version()}")
    _shared(top, default=None)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for declare in (
        _up,
        _account,
        _token,
        _replay,
        _minutes,
        _status,
        _recount,
        _reprocess,
        _archive,
        _gather,
        _store,
        _cluster,
    ):
        declare(commands)
    return top


def _version() -> str:
    try:
        return version("heartline")
    except PackageNotFoundError:
        return "(not installed)"


def _shared(parser: argparse.ArgumentParser, *, default: object = argparse.SUPPRESS) -> None:
    parser.add_argument(
        "--data", metavar="DIR", type=Path, default=default, help="the data directory"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        default=default or False,
        help="print one JSON document for machines",
    )


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def _command(
    commands: _Commands, name: str, module: str, summary: str, more: str = ""
) -> argparse.ArgumentParser:
    made = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=more or None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _shared(made)
    made.set_defaults(module=module)
    return made


def _up(commands: _Commands) -> None:
    up = _command(
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
    for name, (scheme, what) in BACKENDS.items():
        up.add_argument(
            f"--{name.lower()}", metavar="URL", help=f"{scheme}… for {what}: not built yet"
        )


def _account(commands: _Commands) -> None:
    account = commands.add_parser("account", help="make accounts")
    account_commands = account.add_subparsers(metavar="COMMAND", required=True)
    create = _command(
        account_commands,
        "create",
        "heartline.commands.account",
        "make an account and print its listener id",
        "Works whether or not `heartline up` runs. Without --password-file nobody can log in to the\n"
        "account; `heartline token NAME` works all the same.",
    )
    create.add_argument("name", metavar="NAME")
    create.add_argument(
        "--time-zone", required=True, metavar="ZONE", help="as in the tz database: Europe/Berlin"
    )
    _scopes(create, "what the account may do (listener)")
    create.add_argument(
        "--password-file", metavar="F", help="a file whose first line is the password; - for stdin"
    )


def _scopes(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument(
        "--scope", action="append", dest="scopes", choices=SCOPES, metavar="S", help=text
    )


def _token(commands: _Commands) -> None:
    token = _command(
        commands,
        "token",
        "heartline.commands.bearer",
        "print a bearer token for an account, and nothing else",
        "It is valid for an hour. Works whether or not `heartline up` runs.",
    )
    token.add_argument("name", metavar="NAME")
    _scopes(token, "only these of the account's scopes (all)")


def _replay(commands: _Commands) -> None:
    replay = _command(
        commands,
        "replay",
        "heartline.commands.replay",
        "send a listening history as heartbeats",
        "Reads Spotify's exports (JSON, also zipped), Last.fm-1K TSV and ListenBrainz JSON. Plays are\n"
        "moved by the largest whole number of weeks that keeps the newest in the past, unless\n"
        "--shift-weeks says otherwise. The same file twice changes nothing.",
    )
    if "replay" in sys.argv:  # its arguments stand beside its code, which takes a while to import
        import_module("heartline.replay").add_arguments(replay)


def _minutes(commands: _Commands) -> None:
    minutes = _command(
        commands,
        "minutes",
        "heartline.commands.minutes",
        "show the minutes that somebody listened in a week",
        "Reads the store; works whether or not `heartline up` runs.",
    )
    minutes.add_argument("name", metavar="NAME")
    _week(minutes, "the week (the current one, in the listener's time zone)")


def _status(commands: _Commands) -> None:
    status = _command(
        commands,
        "status",
        "heartline.commands.status",
        "show shards, lag, staleness, heartbeats, flushes, latencies and memory",
        "Asks the `heartline up` that runs on the data directory; without one, tells what the files\n"
        "say.",
    )
    status.add_argument(
        "--watch",
        metavar="SECONDS",
        type=_seconds,
        nargs="?",
        const=2.0,
        help="again and again, every so many seconds (2), with rates; with --json a document a line",
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 3_600:
        raise argparse.ArgumentTypeError("wants seconds from 0.1 to 3600")
    return seconds


def _recount(commands: _Commands) -> None:
    recount = _command(
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
    _week(recount, "only this week, in each listener's time zone (everything)")


def _reprocess(commands: _Commands) -> None:
    reprocess = _command(
        commands,
        "reprocess",
        "heartline.commands.reprocess",
        "correct a week that is past the late limit, from the warehouse",
        "Prints each number that is another one now. Doing it again changes nothing. Counts of\n"
        "tracks stay as they are. RAY_ADDRESS shares the work as for `recount --from warehouse`.",
    )
    reprocess.add_argument("--week", metavar="YYYY-Www", required=True, help="the week")


def _archive(commands: _Commands) -> None:
    archive = _command(
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


def _gather(commands: _Commands) -> None:
    _command(
        commands,
        "gather",
        "heartline.commands.gather",
        "bring other producers' heartbeats into the log",
        "Reads the Kafka topic heartbeats_json, one heartbeat a record, beside the gatherers that\n"
        "`heartline up` runs there. Refused ones go to heartbeats_json.dead, with the reason.\n"
        "Ctrl-C or SIGTERM ends it cleanly; what it had taken is taken again by the others.",
    )


def _store(commands: _Commands) -> None:
    store = commands.add_parser("store", help="look after the store of rows")
    store_commands = store.add_subparsers(metavar="COMMAND", required=True)
    migrate = _command(
        store_commands,
        "migrate",
        "heartline.commands.store",
        "make the tables of a cluster that speaks CQL, or bring them forward",
        "Run it once before the first `heartline up` with HEARTLINE_STORE=scylla://…, and after an\n"
        "upgrade, from one machine at a time. Doing it again changes nothing.",
    )
    migrate.add_argument(
        "--replicas",
        metavar="N",
        help="copies of each row, when the keyspace is made (3, or as many as there are nodes)",
    )


def _cluster(commands: _Commands) -> None:
    cluster = commands.add_parser("cluster", help="run Heartline on a Ray cluster of many nodes")
    cluster_commands = cluster.add_subparsers(metavar="COMMAND", required=True)
    from heartline.commands import cluster as described

    for name, (summary, more) in described.COMMANDS.items():
        command = _command(
            cluster_commands, name, "heartline.commands.cluster", summary, more + described.WHERE
        )
        command.set_defaults(work=name)
        described.add_arguments(command, name)


def _week(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--week", metavar="YYYY-Www", help=text)
