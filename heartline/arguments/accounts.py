"""`account` and `token`."""

import argparse

from heartline.arguments.command import Commands, command

SCOPES = ("listener", "ingest", "operator", "metrics", "label")


def declare_account(commands: Commands) -> None:
    """Declare `account create`."""
    account = commands.add_parser("account", help="make accounts")
    account_commands = account.add_subparsers(metavar="COMMAND", required=True)
    create = command(
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


def declare_token(commands: Commands) -> None:
    """Declare `token`."""
    token = command(
        commands,
        "token",
        "heartline.commands.bearer",
        "print a bearer token for an account, and nothing else",
        "It is valid for an hour. Works whether or not `heartline up` runs.",
    )
    token.add_argument("name", metavar="NAME")
    _scopes(token, "only these of the account's scopes (all)")


def _scopes(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument(
        "--scope", action="append", dest="scopes", choices=SCOPES, metavar="S", help=text
    )
