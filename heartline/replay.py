"""`heartline replay`: sends a listening history again, as the heartbeats of which it was made."""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import httpx

from domain.units import DAY_MS, SECOND_MS, WEEK_MS
from heartline import wiring
from heartline.catalogues import changing
from heartline.histories import UnreadableHistory, plays_of
from heartline.history_rows import Play
from heartline.history_survey import Survey, survey
from heartline.poster import MOST_BEATS, Beat, Poster, PostRefused, ServerAway
from heartline.progress import progress_bar
from heartline.replayed_plays import (
    beats_of,
    identified,
    in_time_order,
    weeks_to_now,
)
from heartline.replayed_titles import describe
from heartline.terminal import fail, note, say, say_json

IN_FLIGHT = 4  # requests at once
PACED_WAIT_S = 0.25  # between two posts of a paced replay, at least
PROBE_S = 10.0
MOST_WEEKS = 10_000
LONG_MS = DAY_MS  # a paced replay of more than this is likely a surprise
ADVICE = {
    "too_old": "older than the server's late limit (HEARTLINE_LATE_LIMIT_DAYS of `heartline up`)",
    "in_the_future": "ahead of the server's clock (see --shift-weeks)",
}


@dataclass(slots=True)
class Outcome:
    """What came of a replay, as far as it got."""

    shift_weeks: int
    plays: int = 0
    heartbeats: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, object]:
        """Tell it to machines."""
        return {
            "plays": self.plays,
            "heartbeats": self.heartbeats,
            "accepted": self.accepted,
            "rejected": dict(sorted(self.rejected.items())),
            "shift_weeks": self.shift_weeks,
        }


@dataclass(slots=True)
class Replay:
    """One replay on its way: what it reads, where it posts to, what came of it so far."""

    paths: Sequence[Path]
    poster: Poster
    outcome: Outcome
    advance: Callable[[int], None]  # told how many heartbeats went

    async def at_once(self) -> None:
        """Post everything as fast as it is taken, several requests at a time."""
        beats = chain.from_iterable(beats_of(*one) for one in self._plays())

        async def post_on() -> None:
            while batch := list(islice(beats, MOST_BEATS)):
                await self._post(batch)

        try:
            async with asyncio.TaskGroup() as posts:
                for _ in range(IN_FLIGHT):
                    posts.create_task(post_on())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def paced(
        self,
        speed: float,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Post each heartbeat when its turn comes, *speed* times as fast as it was."""
        beats = in_time_order(self._plays())
        following = next(beats, None)
        begun_s, first_ms = clock_s(), following.at if following else 0
        while following is not None:
            due_ms = first_ms + (clock_s() - begun_s) * SECOND_MS * speed
            batch: list[Beat] = []
            while following is not None and following.at <= due_ms and len(batch) < MOST_BEATS:
                batch.append(following)
                following = next(beats, None)
            if batch:
                await self._post(batch)
            if following is not None and len(batch) < MOST_BEATS:
                wait_s = (following.at - due_ms) / speed / SECOND_MS
                await sleep(max(wait_s, PACED_WAIT_S))

    def _plays(self) -> Iterator[tuple[str, Play]]:
        shift_ms = self.outcome.shift_weeks * WEEK_MS
        for path in self.paths:
            for one in identified(plays_of(path), shift_ms):
                self.outcome.plays += 1
                yield one

    async def _post(self, beats: Sequence[Beat]) -> None:
        answer = await self.poster.post(beats)
        self.outcome.heartbeats += len(beats)
        self.outcome.accepted += answer.accepted
        self.outcome.rejected.update(refusal.reason for refusal in answer.rejected)
        self.advance(len(beats))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `heartline replay`, but for --data and --json."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a listening history")
    parser.add_argument(
        "--as", dest="name", required=True, metavar="NAME", help="the account that listened"
    )
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--at-once", action="store_true", help="as fast as the server takes it")
    pace.add_argument(
        "--speed", type=speed, default=1.0, metavar="X", help="X times as fast as it was (1)"
    )
    parser.add_argument(
        "--shift-weeks",
        type=whole_weeks,
        metavar="N",
        help="move the plays by N weeks, 0 to leave them; else by the most that keeps them past",
    )
    parser.add_argument("--url", help="the server; else the `up` that runs on the data directory")


def speed(text: str) -> float:
    """Read the value of --speed."""
    factor = float(text)
    if not 0 < factor <= 1e9:
        raise argparse.ArgumentTypeError(f"wants a number above 0, not {text[:40]!r}")
    return factor


def whole_weeks(text: str) -> int:
    """Read the value of --shift-weeks."""
    weeks = int(text)
    if abs(weeks) > MOST_WEEKS:
        raise argparse.ArgumentTypeError(f"wants at most {MOST_WEEKS} weeks, not {text[:40]!r}")
    return weeks


def run(
    args: argparse.Namespace,
    *,
    url: str,
    token: Callable[[], str],
    now_ms: Callable[[], int],
    transport: httpx.AsyncBaseTransport | None = None,
) -> int:
    """Do what `heartline replay` was asked to, and return its exit status.

    *url* is the server's; *token* mints a bearer token of the account ``args.name``. Where
    ``args.url`` is None the server is the one on ``args.data``, and its catalogue is told the titles.

    Raises
    ------
    Failure
        A file is no history, or the server is away or refuses; it says what to do.
    """
    try:
        found = survey(args.files)
    except UnreadableHistory as error:
        fail(f"{error}. Nothing was sent.", 2)
    weeks = args.shift_weeks
    if weeks is None:
        weeks = weeks_to_now(found.newest_ms, now_ms()) if found.plays else 0
    outcome = Outcome(weeks)
    _announce(found, weeks, args)
    try:
        asyncio.run(_replay(args, found, outcome, _client(url, transport), token))
    except KeyboardInterrupt:
        note(f"interrupted: the same with --shift-weeks {weeks} goes on, and counts nothing twice")
        _tell(outcome, args)
        return 1
    except ServerAway as error:
        _note_partial(outcome)
        fail(f"{error}: start it with `heartline up`, or name another with --url")
    except PostRefused as error:
        _note_partial(outcome)
        fail(str(error))
    _tell(outcome, args)
    return 0


def _client(url: str, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(base_url=url, transport=transport, trust_env=False)
    except httpx.InvalidURL as error:
        fail(f"--url {url[:80]!r}: {error}", 2)


async def _replay(
    args: argparse.Namespace,
    found: Survey,
    outcome: Outcome,
    client: httpx.AsyncClient,
    token: Callable[[], str],
) -> None:
    async with client:
        await _probe(client)
        if args.url is None:
            await _describe(args.data, found)
        with progress_bar() as progress:
            task = progress.add_task("Replaying", total=found.heartbeats)
            replay = Replay(
                args.files, Poster(client, token), outcome, lambda n: progress.advance(task, n)
            )
            await (replay.at_once() if args.at_once else replay.paced(args.speed))


async def _probe(client: httpx.AsyncClient) -> None:
    """Ask once whether anybody is there, so that nobody waits for a server that is not."""
    try:
        await client.get("/healthz", timeout=PROBE_S)
    except httpx.TransportError as error:
        raise ServerAway(str(client.base_url), str(error) or type(error).__name__) from error


async def _describe(data: Path, found: Survey) -> None:
    settings = wiring.settings(data)
    async with (
        wiring.store(settings) as tables,
        changing(settings, tables, still_s=0.0) as change,
    ):
        await describe(change, found.titles)


def _announce(found: Survey, weeks: int, args: argparse.Namespace) -> None:
    moved = f"moved by {weeks} weeks" if weeks else "left where they are"
    note(f"{found.plays} plays, {found.heartbeats} heartbeats, {moved}")
    length_ms = (found.newest_ms - found.oldest_ms) / args.speed if found.plays else 0
    if not args.at_once and length_ms > LONG_MS:
        note(f"at this speed it takes {length_ms / DAY_MS:.0f} days; --at-once does not wait")


def _tell(outcome: Outcome, args: argparse.Namespace) -> None:
    if args.json:
        say_json(outcome.document())
        return
    say(
        f"Replayed {outcome.plays} plays as {outcome.heartbeats} heartbeats, "
        f"moved by {outcome.shift_weeks} weeks: {outcome.accepted} accepted."
    )
    for reason, count in sorted(outcome.rejected.items()):
        say(f"{count} refused: {reason}, {ADVICE.get(reason, 'not a heartbeat')}.")


def _note_partial(outcome: Outcome) -> None:
    if outcome.heartbeats:
        note(f"{outcome.accepted} of {outcome.heartbeats} heartbeats sent were accepted until then")
