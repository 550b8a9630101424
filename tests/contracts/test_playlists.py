"""What playlists do on every engine of tables: fakes, SQLite, and a server that speaks CQL."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

import pytest

from domain.playlist_edits import Add, Edit, Keep, Removal, Remove, Reorder, Replace, Restore
from domain.playlists import HISTORY_DAYS, BadEdit, Details, Entry, Role
from domain.ports import Tables
from domain.units import DAY_MS
from stores import playlist_log, playlist_writer
from stores.cql_tables import CqlTables
from stores.playlist_covers import PlaylistCovers
from stores.playlist_edits import ListChange, StaleVersion, TooLong
from stores.playlist_errors import CannotMerge, Contended, Forbidden, NoPlaylist
from stores.playlist_log import PlaylistLog
from stores.playlist_merging import Judge
from stores.playlist_removal import PlaylistRemoval
from stores.playlist_rows import Head, Invitation, Member
from stores.playlist_shelves import PlaylistShelves
from stores.playlist_visitors import TTL_S, PlaylistVisitors
from stores.playlists import Playlists
from stores.sqlite_tables import SqliteTables
from stores.tables import (
    LISTENER_PLAYLISTS,
    PLAYLIST_COVERS,
    PLAYLIST_FOLLOWERS,
    PLAYLIST_PARTS,
    PLAYLIST_VISITORS,
    PLAYLISTS,
)
from tests.clock import Clock
from tests.memory_tables import MemoryTables
from tests.servers.fixtures import Servers
from tests.stores.keyspaces import Keyspace, new_keyspace
from tests.stores.playlist_client import PlaylistClient, anybody

NEEDED = (
    PLAYLISTS,
    PLAYLIST_PARTS,
    PLAYLIST_COVERS,
    PLAYLIST_FOLLOWERS,
    PLAYLIST_VISITORS,
    LISTENER_PLAYLISTS,
)
ID = "mix"


def sqlite(request: pytest.FixtureRequest, clock: Clock) -> Tables:
    path = request.getfixturevalue("tmp_path") / "store.db"
    return SqliteTables.open(path, now_ms=clock, tables=NEEDED)


def memory(_request: pytest.FixtureRequest, clock: Clock) -> Tables:
    return MemoryTables(clock)


def cql(request: pytest.FixtureRequest, clock: Clock) -> Tables:
    keyspace: Keyspace = request.getfixturevalue("keyspace")
    keyspace.empty()
    address = keyspace.address
    return CqlTables.open(
        address.hosts, address.port, keyspace=keyspace.name, now_ms=clock, tables=NEEDED
    )


@pytest.fixture(scope="module")
def keyspace(servers: Servers) -> Iterator[Keyspace]:
    with new_keyspace(servers, NEEDED) as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[memory, sqlite, pytest.param(cql, marks=pytest.mark.servers)])
async def tables(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Tables]:
    opened: Tables = request.param(request, clock)
    yield opened
    await opened.close()


@dataclass
class Desk:
    """Replicas over one store, the first of which has made a playlist."""

    tables: Tables
    clock: Clock

    def __post_init__(self) -> None:
        self._names = count(1)
        self.playlists, self.other = self.replica(), self.replica()

    def replica(self) -> Playlists:
        log = PlaylistLog(self.tables)
        return Playlists(log, now_ms=self.clock, new_id=lambda: ID, random=Random(1))

    def entries(self, number: int) -> tuple[Entry, ...]:
        made = (f"e{next(self._names)}" for _ in range(number))
        return tuple(Entry(name, f"t{name}", self.clock(), "ann") for name in made)

    async def edit(self, edit: Edit, **other: object) -> int:
        change = ListChange(edit, **other)  # type: ignore[arg-type]
        return await self.playlists.edit(ID, change, by="ann", allow=anybody)

    async def names(self, replica: Playlists | None = None) -> str:
        view = await (replica or self.playlists).view(ID)
        return " ".join(entry.id for entry in view.entries)


@pytest.fixture
async def desk(tables: Tables, clock: Clock) -> Desk:
    made = Desk(tables, clock)
    await made.playlists.create("ann", Details("Mix", public=False))
    return made


@pytest.fixture
def short_roots() -> Iterator[None]:
    usual, playlist_log.ROOT_EDITS = playlist_log.ROOT_EDITS, 5
    yield
    playlist_log.ROOT_EDITS = usual


async def test_what_was_made_is_there(desk: Desk) -> None:
    view = await desk.other.view(ID)

    assert (view.head.owner, view.head.details.name, view.entries) == ("ann", "Mix", [])
    assert view.head.number == 1


async def test_one_that_is_made_again_stays_as_it_is(desk: Desk) -> None:
    await desk.edit(Add(desk.entries(1)))

    view = await desk.other.create("ann", Details("Other"), ID)

    assert (view.head.details.name, len(view.entries)) == ("Mix", 1)


async def test_what_one_replica_did_another_sees_at_once(desk: Desk) -> None:
    await desk.edit(Add(desk.entries(3)))
    assert await desk.names(desk.other) == "e1 e2 e3"

    change = ListChange(Reorder(0, 3))
    await desk.other.edit(ID, change, by="bob", allow=anybody)

    assert await desk.names() == "e2 e3 e1"


async def test_an_edit_is_of_the_version_that_was_seen(desk: Desk) -> None:
    number = await desk.edit(Add(desk.entries(4)))
    seen = await desk.playlists.version(ID, number)
    await desk.edit(Reorder(3, 0))

    await desk.edit(Remove((Removal("te1", (0,)),)), number=number, seen=seen)

    assert await desk.names() == "e4 e2 e3"


async def test_an_edit_that_wants_no_other_before_it_is_refused(desk: Desk) -> None:
    number = await desk.edit(Add(desk.entries(2)))
    seen = await desk.playlists.version(ID, number)
    await desk.edit(Reorder(1, 0))

    with pytest.raises(StaleVersion):
        await desk.edit(Reorder(1, 0), number=number, seen=seen, only_at=number)


async def test_who_may_not_edit_changes_nothing(desk: Desk) -> None:
    def nobody(_head: Head) -> None:
        raise Forbidden

    change = ListChange(Add(desk.entries(1)))
    allowed = desk.playlists.edit(ID, change, by="ann", allow=anybody)
    refused = desk.playlists.edit(ID, change, by="bob", allow=nobody)
    done = await asyncio.gather(refused, allowed, return_exceptions=True)

    assert isinstance(done[0], Forbidden)
    assert done[1] == 2


async def test_what_is_bad_changes_nothing(desk: Desk) -> None:
    with pytest.raises(BadEdit):
        await desk.edit(Add(desk.entries(1), 7))
    with pytest.raises(NoPlaylist):
        await desk.playlists.edit("other", ListChange(Keep()), by="ann", allow=anybody)

    assert (await desk.playlists.head(ID)).number == 1


async def test_nothing_to_do_makes_no_version(desk: Desk) -> None:
    await desk.edit(Add(desk.entries(2)))

    assert await desk.edit(Reorder(0, 1)) == 2
    assert await desk.edit(Remove((Removal("nobody"),))) == 2


async def test_details_change_beside_the_list(desk: Desk) -> None:
    await desk.edit(Keep(), details=lambda now: Details("Other", now.description, public=False))

    view = await desk.other.view(ID)
    document = (await desk.other.open(ID)).document
    assert view.head.details.name == "Other"
    assert document is not None
    assert document.details() == view.head.details
    assert (await desk.other.details(ID, 1)).name == "Mix"


async def test_a_request_that_is_sent_again_is_done_once(desk: Desk) -> None:
    key, change = b"k", ListChange(Add(desk.entries(1)))
    once = [
        desk.playlists.edit(ID, change, by="ann", allow=anybody, key=key),
        desk.playlists.edit(ID, change, by="ann", allow=anybody, key=key),
    ]
    numbers = await asyncio.gather(*once)
    again = await desk.other.edit(ID, change, by="ann", allow=anybody, key=key)

    assert [*numbers, again] == [2, 2, 2]
    assert await desk.names() == "e1"


async def test_many_writers_on_many_replicas_lose_nothing(desk: Desk) -> None:
    replicas = [desk.playlists, desk.other, desk.replica()]

    async def write(number: int) -> None:
        change = ListChange(Add(desk.entries(1)))
        await replicas[number % 3].edit(ID, change, by="ann", allow=anybody)

    await asyncio.gather(*(write(number) for number in range(50)))

    expected = {f"e{number}" for number in range(1, 51)}
    for replica in replicas:
        assert set((await desk.names(replica)).split()) == expected
        document = (await replica.open(ID)).document
        assert document is not None
        assert document.entries() == (await replica.view(ID)).entries


async def test_who_gives_up_waiting_holds_nobody_up(desk: Desk) -> None:
    edits = [asyncio.ensure_future(desk.edit(Add(desk.entries(1)))) for _ in range(5)]
    await asyncio.sleep(0)
    edits[1].cancel()
    edits[4].cancel()

    done = await asyncio.gather(*edits, return_exceptions=True)

    assert [isinstance(each, int) for each in done] == [True, False, True, True, False]
    assert await desk.edit(Add(desk.entries(1))) == (await desk.playlists.head(ID)).number


async def test_only_so_many_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playlist_writer, "MOST_PENDING", 3)

    edits = [desk.edit(Add(desk.entries(1))) for _ in range(5)]
    done = await asyncio.gather(*edits, return_exceptions=True)

    assert [isinstance(each, Contended) for each in done] == [False] * 3 + [True] * 2


async def test_a_playlist_is_not_longer_than_playlists_are(desk: Desk) -> None:
    for _ in range(2):
        await desk.edit(Add(desk.entries(4_999)))
    await desk.edit(Add(desk.entries(2)))

    with pytest.raises(TooLong):
        await desk.edit(Add(desk.entries(1)))
    await desk.edit(Replace(desk.entries(3)))

    assert len((await desk.other.view(ID)).entries) == 3


@pytest.mark.usefixtures("short_roots")
async def test_every_version_is_found_again(desk: Desk) -> None:
    expected = {1: ""}
    for number in range(2, 40):
        is_move = number > 3 and number % 3 == 0
        edit: Edit = (
            Reorder(0, len(expected[number - 1].split())) if is_move else Add(desk.entries(1), 0)
        )
        assert await desk.edit(edit) == number
        expected[number] = await desk.names()

    for replica in (desk.playlists, desk.replica()):
        for number, names in expected.items():
            seen = await replica.version(ID, number)
            assert " ".join(entry.id for entry in seen) == names
    with pytest.raises(BadEdit, match="too old, or is not yet"):
        await desk.playlists.version(ID, 40)
    with pytest.raises(BadEdit, match="too old, or is not yet"):
        await desk.playlists.version(ID, 0)


@pytest.mark.usefixtures("short_roots")
async def test_a_request_is_known_again_after_a_root(desk: Desk) -> None:
    change = ListChange(Add(desk.entries(1)))
    number = await desk.playlists.edit(ID, change, by="ann", allow=anybody, key=b"k")
    for _ in range(14):
        await desk.edit(Add(desk.entries(1)))

    for replica in (desk.playlists, desk.other):
        assert await replica.edit(ID, change, by="ann", allow=anybody, key=b"k") == number


@pytest.mark.usefixtures("short_roots")
async def test_roots_are_made_while_others_edit_and_leave_no_parts_behind(desk: Desk) -> None:
    replicas = [desk.playlists, desk.other]

    async def write(number: int) -> None:
        change = ListChange(Add(desk.entries(1)))
        await replicas[number % 2].edit(ID, change, by="ann", allow=anybody)

    for _ in range(6):
        await asyncio.gather(*(write(number) for number in range(10)))
    for replica in replicas:
        await replica.close()

    head = await desk.playlists.head(ID)
    parts = {row.key[1:] for row in await desk.tables.scan(PLAYLIST_PARTS, (ID,))}
    assert head.number - head.root < 40
    assert parts == set(playlist_log.parts_of(head))


@pytest.mark.usefixtures("short_roots")
async def test_every_edit_is_told(desk: Desk) -> None:
    for _ in range(13):
        await desk.edit(Add(desk.entries(1)))

    told = await desk.other.records(ID, 3, 12)

    assert [record.number for record in told] == [*range(3, 13)]
    assert {record.by for record in told} == {"ann"}


@pytest.mark.usefixtures("short_roots")
async def test_a_version_is_restored(desk: Desk) -> None:
    number = await desk.edit(Add(desk.entries(4)))
    before = await desk.names()
    for _ in range(9):
        await desk.edit(Replace(desk.entries(2)))

    await desk.edit(Restore(await desk.other.version(ID, number)))

    assert await desk.names(desk.other) == before


@pytest.mark.usefixtures("short_roots")
async def test_history_ends_after_ninety_days(desk: Desk) -> None:
    for _ in range(12):
        await desk.edit(Add(desk.entries(1)))
    desk.clock.advance((HISTORY_DAYS + 1) * DAY_MS)
    parts = await desk.tables.scan(PLAYLIST_PARTS, (ID,))

    for _ in range(12):
        await desk.edit(Add(desk.entries(1)))

    head = await desk.playlists.head(ID)
    assert head.roots[0].number >= 10
    kept = {row.key for row in await desk.tables.scan(PLAYLIST_PARTS, (ID,))}
    assert not {row.key for row in parts} <= kept
    assert len((await desk.replica().view(ID)).entries) == 24
    with pytest.raises(BadEdit):
        await desk.replica().version(ID, 2)


@pytest.mark.usefixtures("short_roots")
async def test_what_is_stored_does_not_grow_with_the_edits_before_a_root(desk: Desk) -> None:
    for _ in range(30):
        await desk.edit(Replace(desk.entries(3)))
        desk.clock.advance(20 * DAY_MS)

    rows = await desk.tables.scan(PLAYLIST_PARTS, (ID,))
    kinds = [row.key[1] for row in rows]
    assert kinds.count("list") == 1
    assert kinds.count("doc") <= 3


async def test_a_client_that_comes_back_is_merged(desk: Desk) -> None:
    await desk.edit(Add(desk.entries(3)))
    client = PlaylistClient(await desk.playlists.open(ID), 1 << 40)
    client.move(0, 2)
    client.add(1, at_ms=desk.clock())
    await desk.edit(Remove((Removal("te1"),)))

    assert await client.send(desk.other, ID, desk.clock())

    assert await desk.names() == f"e2 p{1 << 40}n1 e3"


@pytest.mark.usefixtures("short_roots")
async def test_a_client_that_comes_back_after_many_edits_is_carried_over(desk: Desk) -> None:
    await desk.edit(Add(desk.entries(3)))
    client = PlaylistClient(await desk.playlists.open(ID), 1 << 40)
    client.move(0, 2)
    name = client.add(2, at_ms=desk.clock())
    for _ in range(12):
        await desk.edit(Add(desk.entries(1)))

    end = client.sent
    assert not await client.send(desk.other, ID, desk.clock())
    client.sent = end  # the answer was lost
    assert not await client.send(desk.playlists, ID, desk.clock())

    names = await desk.names()
    assert names.startswith("e2 e3 e4")
    assert f" {name} e1 " in names
    assert names.count(name) == 1


@pytest.mark.usefixtures("short_roots")
async def test_who_watches_is_told_of_every_edit_whatever_roots_are_made(desk: Desk) -> None:
    told: list[int] = []
    watched = await desk.other.open(ID)
    watched.watchers.add(lambda records, _: told.extend(record.number for record in records))
    for edits in (3, 14, 1, 8):
        for _ in range(edits):
            await desk.edit(Add(desk.entries(1)))
        await desk.other.view(ID)

    assert told == [*range(2, 28)]


@pytest.mark.usefixtures("short_roots")
async def test_a_client_that_hears_edits_after_a_root_sends_what_it_did_before(desk: Desk) -> None:
    await desk.edit(Add(desk.entries(3)))
    client = PlaylistClient(await desk.playlists.open(ID), 1 << 40)
    before = client.add(0, at_ms=desk.clock())
    for _ in range(8):
        await desk.edit(Add(desk.entries(1)))
    for record in await desk.playlists.records(ID, 3, 10):
        for update in record.updates:
            client.take(update)
    after = client.add(client.length, at_ms=desk.clock())

    assert not await client.send(desk.other, ID, desk.clock())

    names = (await desk.names()).split()
    assert (names[0], names[-1]) == (before, after)
    assert len(names) == 13


@pytest.mark.usefixtures("short_roots")
async def test_edits_older_than_ninety_days_are_refused_with_what_to_do(desk: Desk) -> None:
    await desk.edit(Add(desk.entries(3)))
    client = PlaylistClient(await desk.playlists.open(ID), 1 << 40)
    client.remove(0)
    for _ in range(7):
        await desk.edit(Add(desk.entries(1)))
    desk.clock.advance((HISTORY_DAYS + 1) * DAY_MS)

    with pytest.raises(CannotMerge, match="take the snapshot") as refused:
        await client.send(desk.other, ID, desk.clock())

    assert refused.value.reason == "too_old"


async def test_heads_are_changed_by_many_at_once(desk: Desk) -> None:
    def joined(number: int) -> Callable[[Head], Head]:
        def change(head: Head) -> Head:
            member = Member(Role.VIEW, "i", desk.clock())
            members = {**head.members, f"m{number}": member}
            return Head(
                **{**{f: getattr(head, f) for f in head.__struct_fields__}, "members": members}
            )

        return change

    changes = (desk.playlists.change_head(ID, joined(number)) for number in range(8))
    edits = (
        desk.other.edit(ID, ListChange(Add(desk.entries(1))), by="ann", allow=anybody)
        for _ in range(8)
    )
    await asyncio.gather(*changes, *edits)

    view = await desk.replica().view(ID)
    assert len(view.head.members) == 8
    assert len(view.entries) == 8


async def test_a_head_tells_roles(desk: Desk) -> None:
    head = await desk.playlists.head(ID)
    told = [
        head.role_of(who)
        for head in (
            _with(
                head, members={"bob": Member(Role.VIEW, "i", 0), "eve": Member(Role.EDIT, "i", 0)}
            ),
            _with(head, details=Details("Mix"), members={}),
            _with(
                head,
                details=Details("Mix", public=False, collaborative=True),
                members={"bob": Member(Role.VIEW, "i", 0)},
            ),
        )
        for who in ("ann", "bob", "eve")
    ]

    assert told == ["owner", "view", "edit", "owner", "view", "view", "owner", "edit", None]


def _with(head: Head, **changes: object) -> Head:
    return Head(**{**{f: getattr(head, f) for f in head.__struct_fields__}, **changes})


async def test_an_invitation_is_kept(desk: Desk) -> None:
    invitation = Invitation("i", Role.EDIT, b"hash", 1, 2)
    await desk.playlists.change_head(ID, lambda head: _with(head, invitations=(invitation,)))

    assert (await desk.replica().head(ID)).invitations == (invitation,)


async def test_what_was_deleted_is_gone_with_all_its_parts(desk: Desk) -> None:
    shelves = PlaylistShelves(desk.tables, now_ms=desk.clock)
    covers = PlaylistCovers(desk.tables)
    await shelves.put("bob", ID, follows=True)
    await covers.put(ID, b"jpeg")
    await desk.edit(Add(desk.entries(3)))

    await PlaylistRemoval(desk.other, shelves, covers).remove(ID, anybody)

    with pytest.raises(NoPlaylist):
        await desk.playlists.view(ID)
    for table in (PLAYLIST_PARTS, PLAYLIST_COVERS):
        assert await desk.tables.scan(table, (ID,)) == []
    assert await shelves.followers(ID) == 0


async def test_what_was_deleted_is_not_made_again(desk: Desk) -> None:
    await desk.edit(Add(desk.entries(3)))
    await desk.playlists.delete(ID, anybody)

    for replica in (desk.playlists, desk.other):
        with pytest.raises(NoPlaylist):
            await replica.create("bob", Details("New"), ID)
        assert await replica.heads([ID]) == {}


async def test_deleting_may_be_broken_off_and_asked_for_again(desk: Desk) -> None:
    for _ in range(2):
        await desk.playlists.delete(ID, anybody)

    with pytest.raises(NoPlaylist):
        await desk.playlists.delete("other", anybody)


async def test_a_listener_who_goes_leaves_nothing(desk: Desk) -> None:
    shelves = PlaylistShelves(desk.tables, now_ms=desk.clock)
    covers = PlaylistCovers(desk.tables)
    member = Member(Role.EDIT, "i", 0)
    await desk.playlists.change_head(ID, lambda head: _with(head, members={"bob": member}))
    await desk.playlists.create("bob", Details("Bob's"), "bobs")
    for playlist_id in (ID, "bobs"):
        await shelves.put("bob", playlist_id, follows=playlist_id == ID)

    removal = PlaylistRemoval(desk.playlists, shelves, covers)
    for _ in range(2):
        desk.clock.advance(1)
        await removal.forget("bob")

    with pytest.raises(NoPlaylist):
        await desk.other.head("bobs")
    assert (await desk.other.head(ID)).members == {}
    assert await shelves.of("bob") == []
    assert await shelves.followers(ID) == 0


async def test_a_shelf_has_what_came_last_first(desk: Desk) -> None:
    shelves = PlaylistShelves(desk.tables, now_ms=desk.clock)
    for playlist_id in ("a", "b", "a", "c"):
        desk.clock.advance(1)
        await shelves.put("bob", playlist_id, follows=playlist_id == "a")
    await shelves.take_down("bob", "b")

    assert [each.playlist_id for each in await shelves.of("bob")] == ["c", "a"]
    assert await shelves.followers("a") == 1
    assert await shelves.follow("a", ["bob", "ann"]) == [True, False]


async def test_who_follows_and_unfollows_in_one_instant_does_not_follow(desk: Desk) -> None:
    shelves = PlaylistShelves(desk.tables, now_ms=desk.clock)
    for _ in range(3):
        await shelves.put("bob", ID, follows=True)
        await shelves.take_down("bob", ID)

    assert await shelves.followers(ID) == 0
    assert await shelves.of("bob") == []


async def test_visitors_are_there_for_a_while(desk: Desk) -> None:
    visitors = PlaylistVisitors(desk.tables, now_ms=desk.clock)
    await visitors.are_here(ID, [("s1", "ann"), ("s2", "bob")])
    assert await visitors.of(ID) == {"s1": "ann", "s2": "bob"}

    desk.clock.advance(1)
    await visitors.left(ID, "s1")
    assert await visitors.of(ID) == {"s2": "bob"}

    desk.clock.advance((TTL_S + 1) * 1_000)
    assert await visitors.of(ID) == {}


async def test_an_update_of_another_role_is_judged_by_it(desk: Desk) -> None:
    client = PlaylistClient(await desk.playlists.open(ID), 1 << 40, "ann")
    client.rename("Mine")
    with pytest.raises(CannotMerge, match="only the owner"):
        await client.send(desk.playlists, ID, desk.clock())

    await client.send(desk.other, ID, desk.clock(), Role.OWNER)

    assert (await desk.playlists.head(ID)).details.name == "Mine"
    assert Judge("ann", 1, Role.OWNER, desk.clock()).oldest_ms < desk.clock()
