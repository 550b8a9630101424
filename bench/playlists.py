"""Playlists: edits a second, over HTTP and in the server; what merging, loading and keeping them costs.

Over HTTP, through the real `heartline up`: fifty writers on one playlist, and as many on 10 000. In this
process, on SQLite as `up` has it: a playlist of 10 000 entries that is edited 100 000 times, every third
edit said of a version some hundreds of edits ago; two who were offline for a day and made 1 000 edits
each, based on the live document and on one that a root has replaced; while a task that wants its turn
every millisecond tells how long it had to wait. The peers: a loro document alone, with nothing stored,
and a list that is written anew with each edit, as servers do that keep a playlist in one row.

Predicted: 1 000 edits/s over HTTP on one playlist, since those that wait go into one write; 3 ms at p99
in the server for 10 000 entries, most of it the disk; 25 ms for a cold document; 100 ms to merge a day.
Seen: 3 000 edits/s on one playlist, for writes are shared by more than was thought, and a third of that
over 10 000, each of which is a write of its own and read anew, since 2 000 are held. 3.9 ms at p99, a
stale version's edit 1 ms more than one of the present: its list is made by undoing up to 128 edits. Half
of what is stored an edit is the document of the root that it led to, which offline edits of 90 days are
merged into. Carrying a day over took 13 s at first, where a hundred roots were tried one after the other;
halving found the right one. What others wait for, up to 80 ms, is loro itself, which holds the
interpreter while it imports. The edit that makes a root is the longest, and the next one reads it.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from statistics import median, quantiles

import httpx
import msgspec

from bench.report import Figure, Goal, Plot, Point, report
from bench.rig.accounts import make_accounts
from bench.rig.up import Up, scratch, up
from bench.rig.wrk import Load, write_requests, wrk
from domain.playlist_edits import Add, Edit, Removal, Remove, Reorder
from domain.playlist_steps import Insert, Move
from domain.playlists import MOST_ENTRIES, Details, Entry
from domain.ports import Tables
from heartline import wiring
from heartline.interpreter import take_short_turns
from stores.accounts import Account, Scope
from stores.playlist_document import PlaylistDocument
from stores.playlist_edits import ListChange
from stores.playlist_log import PlaylistLog
from stores.playlists import Playlists
from stores.sqlite_tables import SqliteTables
from stores.tables import PLAYLIST_PARTS, PLAYLISTS
from tests.stores.playlist_client import PlaylistClient, anybody

WRITERS = 50
MANY = 10_000
TOGETHER = 100
OFFLINE_EDITS = 1_000
FILLED = 1 + MOST_ENTRIES // TOGETHER  # edits that make it as long as it is
AGO = 400  # edits, at most, since the version that a stale edit was said of
PEER_EDITS = 2_000
ALONE_EDITS = 20_000
TICK_S = 0.001
ID = "long"
TRACKS = [f"heartline:track:t{number}" for number in range(3)]
MS = 1e3


def entry(random: Random, number: int) -> Entry:
    """Make an entry that nobody has."""
    track = f"{random.getrandbits(128):032x}"[:22]
    return Entry(f"e{number}", track, wiring.now_ms(), f"{random.getrandbits(128):032x}"[:22])


@dataclass
class Desk:
    """A store, and playlists of one process on it."""

    tables: Tables
    random: Random
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def replica(self) -> Playlists:
        """Have what a process has that begins."""
        return Playlists(
            PlaylistLog(self.tables), now_ms=wiring.now_ms, new_id=wiring.new_id, random=self.random
        )

    def entries(self, number: int) -> tuple[Entry, ...]:
        """Make entries."""
        return tuple(entry(self.random, next(self.numbers)) for _ in range(number))

    async def fill(self, playlists: Playlists, playlist_id: str, length: int) -> None:
        """Make a playlist."""
        await playlists.create("ann", Details("Long"), playlist_id)
        for _ in range(length // TOGETHER):
            change = ListChange(Add(self.entries(TOGETHER)))
            await playlists.edit(playlist_id, change, by="ann", allow=anybody)


async def an_edit(
    desk: Desk, playlists: Playlists, playlist_id: str, *, is_stale: bool
) -> ListChange:
    """Think of an edit that keeps the playlist about as long as it is."""
    random, view = desk.random, await playlists.view(playlist_id)
    number = seen = None
    listed: Sequence[Entry] = view.entries
    if is_stale:
        number = max(view.head.number - random.randrange(AGO), FILLED)
        seen = listed = await playlists.version(playlist_id, number)
    place = random.randrange(len(listed))
    edit: Edit
    match random.randrange(3):
        case 0 if len(view.entries) < MOST_ENTRIES:
            edit = Add(desk.entries(1), place)
        case 1:
            edit = Reorder(place, random.randrange(len(listed)))
        case _:
            edit = Remove((Removal(listed[place].track_id, (place,)),))
    return ListChange(edit, number, seen)


async def timed(work: Awaitable[object]) -> float:
    """Tell how many ms something takes."""
    begun = time.perf_counter()
    await work
    return (time.perf_counter() - begun) * MS


async def longest_wait(work: Awaitable[object]) -> tuple[float, float]:
    """Tell how many ms something takes, and the longest that another task had to wait meanwhile."""
    longest, is_done = 0.0, False

    async def tick() -> None:
        nonlocal longest
        while not is_done:
            begun = time.perf_counter()
            await asyncio.sleep(TICK_S)
            longest = max(longest, time.perf_counter() - begun - TICK_S)

    ticking = asyncio.create_task(tick())
    taken = await timed(work)
    is_done = True
    await ticking
    return taken, longest * MS


@dataclass
class Long:
    """What was seen of a long playlist; ms but for rates and bytes."""

    warm: list[float] = field(default_factory=list)
    stale: list[float] = field(default_factory=list)
    stored: list[Point] = field(default_factory=list)  # edits so far, MB
    cold_view: list[float] = field(default_factory=list)
    cold_document: list[float] = field(default_factory=list)
    merged: list[tuple[float, float]] = field(default_factory=list)  # taken, longest wait
    carried: list[tuple[float, float]] = field(default_factory=list)
    seconds: float = 0.0
    edits: int = 0


async def long_playlist(desk: Desk, edits: int) -> Long:
    """Edit a playlist of 10 000 entries for long, then load and merge it."""
    playlists, seen = desk.replica(), Long(edits=edits)
    await desk.fill(playlists, ID, MOST_ENTRIES)
    seen.stored.append((0, await stored_mb(desk.tables)))
    before = await playlists.open(ID)
    early = [PlaylistClient(before, (1 << 40) + n, f"guest{n}") for n in range(2)]
    for number in range(1, edits + 1):
        is_stale = number % 3 == 0
        change = await an_edit(desk, playlists, ID, is_stale=is_stale)
        edit = playlists.edit(ID, change, by="ann", allow=anybody)
        taken = await timed(edit)
        (seen.stale if is_stale else seen.warm).append(taken)
        if number % max(edits // 20, 1) == 0:
            seen.stored.append((number, await stored_mb(desk.tables)))
    seen.seconds = sum(seen.warm + seen.stale) / MS
    for _ in range(5):
        begins = desk.replica()
        seen.cold_view.append(await timed(begins.view(ID)))
        seen.cold_document.append(await timed(begins.open(ID)))
    present = await playlists.open(ID)
    late = [PlaylistClient(present, (1 << 41) + n, f"guest{n}") for n in range(2)]
    for client in (*late, *early):
        offline(desk, client)
    await make_room(playlists)
    for client, into in [(each, seen.merged) for each in late] + [
        (each, seen.carried) for each in early
    ]:
        into.append(await longest_wait(client.send(playlists, ID, wiring.now_ms())))
    return seen


def offline(desk: Desk, client: PlaylistClient) -> None:
    """Edit a copy for a day, as many times as entries are added as are removed."""
    for number in range(OFFLINE_EDITS):
        place = desk.random.randrange(client.length)
        match number % 4:
            case 0:
                client.add(place, at_ms=wiring.now_ms())
            case 1:
                client.remove(place)
            case _:
                client.move(place, desk.random.randrange(client.length))


async def make_room(playlists: Playlists) -> None:
    """Remove so many entries that what comes has room."""
    for _ in range(5):
        view = await playlists.view(ID)
        removals = tuple(
            Removal(one.track_id, (n,)) for n, one in enumerate(view.entries[:TOGETHER])
        )
        change = ListChange(Remove(removals), view.head.number, view.entries)
        await playlists.edit(ID, change, by="ann", allow=anybody)


async def stored_mb(tables: Tables) -> float:
    """Tell how many MB of rows there are of the long playlist."""
    size = 0
    head = await tables.read(PLAYLISTS, [(ID,)])
    for row in (*head, *(await tables.scan(PLAYLIST_PARTS, (ID,)))):
        if row is not None:
            document = row.values["document"]
            size += len(document) if isinstance(document, bytes) else 0
    return size / 1e6


async def rewriting(desk: Desk, listed: Sequence[Entry]) -> float:
    """Tell how many edits a second a server makes that writes the whole list each time."""
    listed, encode = list(listed), msgspec.json.encode
    await desk.tables.write_if(PLAYLISTS, ("peer",), {"document": encode(listed)}, version=0)
    begun = time.perf_counter()
    for version in range(1, PEER_EDITS // 10 + 1):
        listed.insert(desk.random.randrange(len(listed)), listed.pop())
        document = {"document": encode(listed)}
        await desk.tables.write_if(PLAYLISTS, ("peer",), document, version=version)
    return PEER_EDITS / 10 / (time.perf_counter() - begun)


def alone(desk: Desk, listed: Sequence[Entry]) -> float:
    """Tell how many edits a second a document makes with nothing around it."""
    document = PlaylistDocument()
    document.do(Insert(0, tuple(listed)))
    document.commit()
    begun = time.perf_counter()
    for _ in range(ALONE_EDITS):
        document.do(Move(desk.random.randrange(len(listed)), desk.random.randrange(len(listed))))
        document.commit()
    return ALONE_EDITS / (time.perf_counter() - begun)


async def over_http(up: Up, accounts: Sequence[Account], seconds: int) -> tuple[Load, Load]:
    """Move items of one playlist, then of 10 000, over as many connections as there are writers."""
    signer = wiring.tokens(up.data)
    tokens = [signer.sign(each.listener_id, each.scopes) for each in accounts]
    hot = await shared(up.url, tokens)
    own = await asyncio.gather(*(many(up.url, token, MANY // len(tokens)) for token in tokens))
    of_one = [moving(hot, token) for token in tokens]
    of_many = [
        moving(url, token)
        for turn in zip(*own, strict=True)
        for url, token in zip(turn, tokens, strict=True)
    ]
    loads = []
    for requests in (of_one, of_many):
        path = up.data / "requests"
        write_requests(path, requests)
        loads.append(wrk(up.url, path, connections=WRITERS, seconds=seconds))
    return loads[0], loads[1]


def moving(url: str, token: str) -> bytes:
    """Write the request that moves a playlist's first item to its end."""
    body = b'{"range_start": 0, "insert_before": 3}'
    return (
        f"PUT {url}/items HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def shared(url: str, tokens: Sequence[str]) -> str:
    """Make a playlist that everybody may edit."""
    owner, *others = [
        httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"})
        for token in tokens
    ]
    made = await owner.post("/v1/me/playlists", json={"name": "Hot", "collaborative": True})
    path = f"/v1/playlists/{made.json()['id']}"
    link = (await owner.post(f"{path}/invites", json={"role": "view"})).json()
    await owner.post(f"{path}/items", json=TRACKS)
    for client in others:
        joined = await client.post(f"{path}/collaborators", json={"token": link["token"]})
        joined.raise_for_status()
    for client in (owner, *others):
        await client.aclose()
    return path


async def many(url: str, token: str, number: int) -> list[str]:
    """Make playlists of one's own."""
    headers = {"Authorization": f"Bearer {token}"}
    urls = []
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
        for _ in range(number):
            made = await client.post("/v1/me/playlists?fields=id", json={"name": "Own"})
            urls.append(f"/v1/playlists/{made.json()['id']}")
            (await client.post(f"{urls[-1]}/items", json=TRACKS)).raise_for_status()
    return urls


async def in_this_process(data: Path, edits: int) -> tuple[Long, float, float]:
    """Measure the long playlist, and what peers make of one as long."""
    take_short_turns()  # as the replica that serves playlists does
    tables = SqliteTables.open(data / "store.db", now_ms=wiring.now_ms)
    desk = Desk(tables, Random(7))  # noqa: S311
    seen = await long_playlist(desk, edits)
    listed = (await desk.replica().view(ID)).entries
    peers = await rewriting(desk, listed), alone(desk, listed)
    await tables.close()
    return seen, *peers


def hand_in(http: tuple[Load, Load], seen: Long, rewritten: float, alone: float) -> None:
    """Say what was seen."""
    p99 = quantiles([*seen.warm, *seen.stale], n=100)[98]
    rate = seen.edits / seen.seconds
    merges, waits = zip(*seen.merged, *seen.carried, strict=True)
    per_edit = (seen.stored[-1][1] - seen.stored[0][1]) / seen.edits * 1e6
    goals = [
        Goal("p99 of an edit of 10 000 entries in the server, ms", 20.0, p99, at_most=True),
        Goal.of_runs(
            "a cold playlist of 10 000 entries to read, ms", 50.0, seen.cold_view, at_most=True
        ),
        Goal.of_runs("and its document to edit, ms", 50.0, seen.cold_document, at_most=True),
        Goal("a day of offline work to merge, the longest, ms", 500.0, max(merges), at_most=True),
        Goal("times as fast as writing the list anew with each edit", 1.0, rate / rewritten),
    ]
    one, many = http
    figures = [
        Figure(f"edits of one playlist over HTTP by {WRITERS}", one.per_s, "/s"),
        Figure("median of one of them", one.p50_ms, "ms"),
        Figure("p99 of one of them", one.p99_ms, "ms"),
        Figure(f"edits of {MANY} playlists over HTTP by {WRITERS}", many.per_s, "/s"),
        Figure("median of one of those", many.p50_ms, "ms"),
        Figure("p99 of one of those", many.p99_ms, "ms"),
        Figure("of both, refused or broken", one.failed + many.failed, ""),
        Figure("edits of 10 000 entries in the server, one after the other", rate, "/s"),
        Figure("median of those of the present version", median(seen.warm), "ms"),
        Figure("p99 of those of the present version", quantiles(seen.warm, n=100)[98], "ms"),
        Figure("median of those of a stale version", median(seen.stale), "ms"),
        Figure("p99 of those of a stale version", quantiles(seen.stale, n=100)[98], "ms"),
        Figure("the longest edit, which makes a root", max(*seen.warm, *seen.stale), "ms"),
        Figure("writing the list anew with each edit", rewritten, "/s"),
        Figure("a loro document alone, nothing stored", alone, "/s"),
        Figure("merging 1 000 offline edits into the live document", seen.merged[-1][0], "ms"),
        Figure("carrying 1 000 over from an older root", seen.carried[-1][0], "ms"),
        Figure("the longest that others waited meanwhile", max(waits), "ms"),
        Figure("bytes stored an edit, history of all of them included", per_edit, ""),
        Figure("stored of 10 000 entries before the edits", seen.stored[0][1], "MB"),
        Figure("stored after them", seen.stored[-1][1], "MB"),
    ]
    plot = Plot("What is stored of a playlist", "edits", "MB", {"all parts": seen.stored})
    report("playlists", goals, figures=figures, plots=[plot])


def main() -> None:
    """Measure, and hand in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=10)
    asked = parser.parse_args()
    with scratch() as data:
        accounts = asyncio.run(make_accounts(data, WRITERS, "writer", Scope.LISTENER))
        with up(data) as running:
            http = asyncio.run(over_http(running, accounts, asked.seconds))
    with scratch() as data:
        seen = asyncio.run(in_this_process(data, asked.edits))
    hand_in(http, *seen)


if __name__ == "__main__":
    main()
