"""`python -m heartline.demo URL`: the process beside `heartline up --demo` that makes it alive.

It makes a demo listener and a small catalogue, posts two weeks of the listener's past, and then is a
gateway: it posts what the demo listener and a crowd listen to now. Everything is done at most once:
started again, it goes on. Its data directory comes in HEARTLINE_DATA.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from domain.calendar import zone_names
from domain.catalogue import Entity, Track
from domain.errors import HeartlineError
from domain.units import DAY_MS, MINUTE_MS
from heartline import processes, wiring
from heartline.catalogues import Changing, changing
from heartline.crowd import Crowd, Listener, crowd_zeal, crowd_zone
from heartline.demo_catalogue import DemoCatalogue, demo_catalogue
from heartline.keys import secret
from heartline.poster import MOST_BEATS, Beat, Poster, PostRefused
from heartline.terminal import Failure, note, say
from stores.account_errors import NameTaken
from stores.accounts import Account, Accounts, Scope

SEED = "heartline demo 1"  # another one is another crowd
CROWD_SIZE = 200
PAST_DAYS = 14
DEMO_NAME = "demo"
DEMO_ZEAL = 1.2
GATEWAY_NAME = "crowd.gateway"
RESUMED_MS = 10 * MINUTE_MS  # so much is caught up with after a pause; more was not listened
TICK_S = 1.0
PASSWORD_BYTES = 6  # to be typed; attempts are limited
AWAY_S = 5.0


class Secret(Struct, frozen=True):
    """What ``secrets/demo.json`` holds: who the demo listener is, and since when it listens."""

    name: str
    password: str
    began_ms: int


@dataclass(frozen=True)
class Demo:
    """The demo's people, ready to listen."""

    name: str
    password: str
    listener: Listener
    crowd: Crowd
    gateway_id: str
    past: Path  # there when the past is posted


async def prepare(
    data: Path,
    accounts: Accounts,
    *,
    now_ms: Callable[[], int],
    new_password: Callable[[], str],
    zone: str,
    tracks: Sequence[Track],
    size: int = CROWD_SIZE,
) -> Demo:
    """Make what the demo needs and is not there yet: accounts, the secret."""
    told = await _secret(data, accounts, now_ms, new_password)
    account = await _account(accounts, told.name, password=told.password, zone=zone)
    gateway = await _account(accounts, GATEWAY_NAME, scopes=(Scope.INGEST,))
    listener = Listener(
        account.listener_id, SEED, account.time_zone, zeal=DEMO_ZEAL, live_ms=told.began_ms
    )
    others = await asyncio.gather(*(_crowd_listener(accounts, number) for number in range(size)))
    return Demo(
        name=told.name,
        password=told.password,
        listener=listener,
        crowd=Crowd([listener, *others], tracks),
        gateway_id=gateway.listener_id,
        past=data / "demo.past",
    )


async def fill(change: Changing, demo: DemoCatalogue) -> None:
    """Put into the catalogue what it lacks of the demo's."""
    entities: list[Entity] = [*demo.artists, *demo.albums, *demo.tracks]
    await change.publish(await change.catalogue.missing(entities))


async def _secret(
    data: Path, accounts: Accounts, now_ms: Callable[[], int], new_password: Callable[[], str]
) -> Secret:
    name, number = DEMO_NAME, 1
    while not (data / "secrets" / "demo.json").exists() and await accounts.by_name(name):
        number += 1
        name = f"{DEMO_NAME}-{number}"  # the first was somebody's own
    fresh = Secret(name, new_password(), now_ms())
    content = secret(data, "demo.json", lambda: msgspec.json.encode(fresh))
    return msgspec.json.decode(content, type=Secret)


async def _crowd_listener(accounts: Accounts, number: int) -> Listener:
    name = f"crowd.{number:03}"
    account = await _account(accounts, name, zone=crowd_zone(number, SEED))
    habits = f"{SEED}:{number}"
    return Listener(account.listener_id, habits, account.time_zone, zeal=crowd_zeal(number, SEED))


async def _account(
    accounts: Accounts,
    name: str,
    *,
    password: str | None = None,
    zone: str = "UTC",
    scopes: tuple[Scope, ...] = (Scope.LISTENER,),
) -> Account:
    account = await accounts.by_name(name)
    if account is None:
        # Another demo process may be at it too, while the one before it still ends.
        with contextlib.suppress(NameTaken):
            return await accounts.create(name, password=password, time_zone=zone, scopes=scopes)
        account = await accounts.by_name(name)
    if account is None:
        raise NameTaken(name)
    return account


def past_beats(demo: Demo) -> Iterator[Beat]:
    """Give the two weeks before the demo listener came."""
    began_ms = demo.listener.live_ms
    return demo.crowd.beats_of(demo.listener, began_ms - PAST_DAYS * DAY_MS, began_ms - 1)


async def post_past(demo: Demo, poster: Poster) -> None:
    """Post the demo listener's past, unless that is done."""
    if demo.past.exists():
        return
    beats = past_beats(demo)
    while batch := list(islice(beats, MOST_BEATS)):
        await poster.post(batch)
    demo.past.touch()


async def post_present(
    demo: Demo,
    poster: Poster,
    *,
    now_ms: Callable[[], int],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Post what everybody listens to now, for ever; what was missed shortly before comes first."""
    posted_ms = now_ms() - RESUMED_MS
    while True:
        until_ms = now_ms()
        posted_ms = max(posted_ms, until_ms - RESUMED_MS)
        beats = demo.crowd.beats(posted_ms, until_ms)
        while batch := list(islice(beats, MOST_BEATS)):
            await poster.post(batch)
        posted_ms = max(posted_ms, until_ms)
        await sleep(TICK_S)


def local_zone() -> str:
    """Tell the zone of this machine, where it tells; the demo listener lives there."""
    localtime = Path("/etc/localtime")
    linked = str(localtime.resolve()).partition("/zoneinfo/")[2] if localtime.exists() else ""
    return next(
        (zone for zone in (os.environ.get("TZ", ""), linked) if zone in zone_names()), "UTC"
    )


async def run(data: Path, url: str) -> None:
    """Be the demo until cancelled."""
    settings, catalogue = wiring.settings(data), demo_catalogue(SEED)
    async with wiring.store(settings) as tables:
        async with changing(settings, tables, still_s=0.0) as change:
            await fill(change, catalogue)
        demo = await prepare(
            data,
            wiring.accounts(tables),
            now_ms=wiring.now_ms,
            new_password=lambda: secrets.token_hex(PASSWORD_BYTES),
            zone=local_zone(),
            tracks=catalogue.tracks,
        )
    say(f"Demo: log in at {url} as {demo.name} with the password {demo.password}")
    tokens = wiring.tokens(data)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        poster = Poster(client, lambda: tokens.sign(demo.gateway_id, ["ingest"]), patience_s=None)
        while True:
            try:
                await post_past(demo, poster)
                await post_present(demo, poster, now_ms=wiring.now_ms)
            except PostRefused as error:  # the gateway's account may be gone: somebody deleted it
                note(f"demo: {error}")
                await asyncio.sleep(AWAY_S)


async def until_told(data: Path, url: str) -> None:
    """Be the demo until SIGTERM or Ctrl-C."""
    loop, demo = asyncio.get_running_loop(), asyncio.ensure_future(run(data, url))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, demo.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await demo


def main() -> int:
    """Do what the module says; the exit status."""
    processes.die_with_parent()
    try:
        asyncio.run(until_told(Path(os.environ["HEARTLINE_DATA"]), sys.argv[1]))
    except (Failure, HeartlineError) as error:
        note(f"demo: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
