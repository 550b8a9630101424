"""`heartline cluster start|status|scale|drain|stop`."""

import argparse
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from heartline.settings import Settings
from heartline.terminal import fail, note, say, say_json

if TYPE_CHECKING:  # it brings Ray along, which takes a second
    from heartline.nodes.moving import Moved

MOST_SHARDS = 256
WRONG_USAGE = 2
CONFIG = Path(__file__).resolve().parents[2] / "serve" / "config.yaml"
WHERE = "The Ray cluster is that of RAY_ADDRESS; run this on one of its nodes."
COMMANDS = MappingProxyType(
    {
        "start": (
            "start shards, consumers and applications on the Ray cluster",
            "What runs already goes on, so it may be called again at any time. ",
        ),
        "status": (
            "show nodes, shards, consumers, lag and memory",
            "",
        ),
        "scale": (
            "change the number of shards and consumers, under load",
            "Partitions move one after the other; each move is told with the time for which\n"
            "nobody applied the partition's records, at most. ",
        ),
        "drain": (
            "move everything away from a node, so that it may go",
            "Ray places nothing on the node any more, and ends itself there at last. ",
        ),
        "environment": (
            "print what `ray start` wants in its environment on this node",
            'eval "$(heartline cluster environment)" && ray start --address=HEAD:6379\n'
            "The front end listens at HEARTLINE_HOST and HEARTLINE_PORT. ",
        ),
        "stop": (
            "stop applications, consumers and shards; what they hold is written first",
            "",
        ),
    }
)


def add_arguments(command: argparse.ArgumentParser, name: str) -> None:
    """Describe the arguments of one of the commands."""
    if name == "scale":
        command.add_argument(
            "shards", metavar="N", nargs="?", type=_count, help="how many shards there shall be"
        )
        command.add_argument(
            "--consumers", metavar="M", type=_count, help="how many consumers of the log"
        )
    if name == "drain":
        command.add_argument(
            "node", metavar="NODE", help="its id (the first digits will do), address or host name"
        )
    if name == "start":
        command.add_argument(
            "--one-machine",
            action="store_true",
            help="all nodes are on this machine and share the data directory",
        )
        command.add_argument(
            "--applications",
            metavar="FILE",
            type=Path,
            default=CONFIG,
            help="a configuration of Ray Serve (serve/config.yaml)",
        )
        command.add_argument(
            "--no-applications",
            dest="applications",
            action="store_const",
            const=None,
            help="somebody else deploys them: KubeRay does",
        )


def _count(text: str) -> int:
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not 0 < count <= MOST_SHARDS:
        raise argparse.ArgumentTypeError(f"wants a whole number from 1 to {MOST_SHARDS}")
    return count


def run(options: argparse.Namespace) -> int:
    """Run one of the commands."""
    from heartline.nodes.ray_cluster import connected

    settings = Settings.from_environ(os.environ, {"data": options.data})
    if options.work == "environment":
        return _environment(settings)
    with connected(os.environ):
        return _WORK[options.work](options, settings)


def _start(options: argparse.Namespace, settings: Settings) -> int:
    from heartline.nodes import requirements, work
    from heartline.nodes.ray_cluster import nodes
    from heartline.nodes.serving import read_config

    applications = read_config(options.applications) if options.applications else None
    there = nodes()
    requirements.check(settings, there, one_machine=options.one_machine)
    if not options.one_machine:
        requirements.check_nodes(settings, there)
    told = work.start(settings, applications, one_machine=options.one_machine)
    if options.json:
        say_json(told)
    else:
        say(
            f"{len(told['shards'])} shards run; {told['started']} actors were started;"
            f" applications: {', '.join(told['applications']) or 'left alone'}"
        )
    return 0


def _status(options: argparse.Namespace, settings: Settings) -> int:
    from rich.console import Console

    from heartline.nodes.report import picture, report

    told = report(settings)
    if options.json:
        say_json(told)
    else:
        Console(highlight=False).print(picture(told))
    return 0


def _scale(options: argparse.Namespace, _: Settings) -> int:
    from heartline.nodes import work

    if options.shards is None and options.consumers is None:
        fail("say how many shards there shall be, or --consumers M", WRONG_USAGE)
    made = work.scale(options.shards, options.consumers, _tell)
    if options.json:
        say_json({"shards": options.shards, "consumers": options.consumers, **_sum(made)})
    else:
        say(f"done; {len(made)} partitions moved")
    return 0


def _drain(options: argparse.Namespace, _: Settings) -> int:
    from heartline.nodes import work

    made, gone = work.drain_node(options.node, _tell)
    if options.json:
        say_json({"node": options.node, "gone": gone, **_sum(made)})
    else:
        say(f"node {options.node} {'is gone' if gone else 'is empty and may go'}")
    return 0


def _sum(made: Sequence["Moved"]) -> dict[str, Any]:
    return {"moved": len(made), "seconds": [round(moved.seconds, 3) for moved in made]}


def _tell(moved: "Moved") -> None:
    move = moved.move
    late = "" if moved.taken else ", and is still to be taken on"
    note(
        f"partition {move.partition}: shard {move.before} to {move.after},"
        f" {moved.seconds:.1f} s{late}"
    )


def _environment(settings: Settings) -> int:
    from heartline.haproxy import install
    from heartline.ray_environment import node_environment

    folder = settings.data / "front"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        wrapper = install(folder, host=settings.host, port=settings.port)
    except OSError as error:
        fail(f"cannot write into {folder}: {error.strerror}")
    for name, value in node_environment(wrapper).items():
        say(f"export {name}={shlex.quote(value)}")
    return 0


def _stop(options: argparse.Namespace, settings: Settings) -> int:
    from heartline.nodes import work

    count = work.stop(settings)
    if options.json:
        say_json({"stopped": count})
    else:
        say(f"{count} actors stopped")
    return 0


_WORK = {"start": _start, "status": _status, "scale": _scale, "drain": _drain, "stop": _stop}
