"""`search`."""

from heartline.arguments.command import Commands, command


def declare_search(commands: Commands) -> None:
    """Declare `search` and `search check`."""
    search = command(
        commands,
        "search",
        "heartline.commands.search",
        "search the catalogue, or check the search index",
        "`heartline search check` compares the index with the catalogue; status 1 if they differ. To\n"
        "search for the word check, say --query check. With --json it prints what GET /v1/search\n"
        "answers. Works beside a running `heartline up` and without one; only --repair wants it\n"
        "stopped, where the index is in the data directory.",
    )
    search.add_argument("words", metavar="QUERY", nargs="*", help="what is searched for, or check")
    search.add_argument("--query", metavar="TEXT", help="what is searched for, whatever it says")
    search.add_argument("--type", metavar="T", help="some of artist, album, track")
    search.add_argument("--limit", metavar="N", type=int, default=10, help="hits of each type (10)")
    search.add_argument(
        "--explain", action="store_true", help="show of what the score of each hit is made"
    )
    search.add_argument(
        "--repair", action="store_true", help="with check: make the index like the catalogue"
    )
