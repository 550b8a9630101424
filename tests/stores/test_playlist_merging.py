"""What a client may do to its copy, and what of it is refused."""

import asyncio
import contextlib
from collections.abc import Callable
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loro import ExportMode, LoroDoc, LoroList, LoroMap

from domain.playlist_edits import Add, Removal, Remove, Replace
from domain.playlists import HISTORY_DAYS, MOST_ENTRIES, Details, Entry, Role
from domain.units import DAY_MS
from stores import playlist_log
from stores.open_playlist import OpenPlaylist
from stores.playlist_document import SERVER, PlaylistDocument
from stores.playlist_edits import ListChange
from stores.playlist_errors import CannotMerge
from stores.playlist_log import PlaylistLog
from stores.playlist_merged import DETAILS, ENTRIES, GONE
from stores.playlist_merging import Judge, Merge
from stores.playlists import Playlists
from tests.clock import Clock
from tests.memory_tables import MemoryTables
from tests.stores.playlist_client import PlaylistClient, anybody
from tests.stores.xxh32 import xxh32

PEER = 1 << 40
Mischief = Callable[[PlaylistClient, int], object]


async def made(clock: Clock, entries: int = 3) -> Playlists:
    log = PlaylistLog(MemoryTables(clock))
    playlists = Playlists(log, now_ms=clock, new_id=lambda: "mix", random=Random(1))
    await playlists.create("ann", Details("Mix"))
    added = tuple(Entry(f"e{n}", "t", clock(), "ann") for n in range(entries))
    await playlists.edit("mix", ListChange(Add(added)), by="ann", allow=anybody)
    return playlists


async def names(playlists: Playlists) -> list[str]:
    return [entry.id for entry in (await playlists.view("mix")).entries]


async def refused(playlists: Playlists, client: PlaylistClient, now_ms: int) -> str:
    """Send, and see that nothing came of it."""
    before = await names(playlists)
    with pytest.raises(CannotMerge) as refusal:
        await client.send(playlists, "mix", now_ms)
    assert await names(playlists) == before
    await in_order(playlists)
    return refusal.value.reason


async def in_order(playlists: Playlists) -> None:
    """See that list and document say the same."""
    playlist = await playlists.open("mix")
    assert playlist.document is not None
    assert playlist.document.entries() == playlist.entries
    assert playlist.document.details() == playlist.head.details


def change_an_entry(client: PlaylistClient, _now_ms: int) -> None:
    client.document.get_movable_list(ENTRIES).get(0).container.insert("uri", "heartline:track:x")


def change_and_remove_an_entry(client: PlaylistClient, now_ms: int) -> None:
    change_an_entry(client, now_ms)
    client.document.get_movable_list(ENTRIES).get(0).container.insert(GONE, True)


def bring_an_entry_back(client: PlaylistClient, _now_ms: int) -> None:
    client.document.get_movable_list(ENTRIES).get(0).container.insert(GONE, False)


def put_text_into_the_list(client: PlaylistClient, _now_ms: int) -> None:
    client.document.get_movable_list(ENTRIES).insert(0, "text")


def replace_an_entry(client: PlaylistClient, _now_ms: int) -> None:
    client.document.get_movable_list(ENTRIES).set(0, "text")


def put_a_list_into_the_list(client: PlaylistClient, _now_ms: int) -> None:
    client.document.get_movable_list(ENTRIES).insert_container(0, LoroList())


def nest(client: PlaylistClient, now_ms: int) -> None:
    client.add(0, at_ms=now_ms)
    client.document.get_movable_list(ENTRIES).get(0).container.insert_container("x", LoroMap())


def begin_another_root(client: PlaylistClient, _now_ms: int) -> None:
    client.document.get_map("other").insert("x", 1)


def begin_a_list_of_the_same_name(client: PlaylistClient, now_ms: int) -> None:
    made = client.document.get_list(ENTRIES).insert_container(0, LoroMap())
    right = {"id": "x", "uri": "heartline:track:t", "added_at": now_ms, "added_by": "bob"}
    for key, value in right.items():
        made.insert(key, value)


def rename_a_type(client: PlaylistClient, _now_ms: int) -> None:
    client.document.get_text(DETAILS).insert(0, "x")


MISCHIEF: dict[str, tuple[Mischief, str]] = {
    "changes an entry": (change_an_entry, "forbidden"),
    "changes what it removes": (change_and_remove_an_entry, "forbidden"),
    "takes a removal back": (bring_an_entry_back, "forbidden"),
    "puts text into the list": (put_text_into_the_list, "forbidden"),
    "sets an entry": (replace_an_entry, "forbidden"),
    "puts a list into the list": (put_a_list_into_the_list, "forbidden"),
    "nests": (nest, "invalid"),
    "begins another root": (begin_another_root, "forbidden"),
    "begins a list of the same name": (begin_a_list_of_the_same_name, "forbidden"),
    "takes details for a text": (rename_a_type, "forbidden"),
    "lacks an id": (lambda client, now: client.add(0, at_ms=now, id=None), "invalid"),
    "has the id of another": (lambda client, now: client.add(0, at_ms=now, id="e1"), "invalid"),
    "has an odd id": (lambda client, now: client.add(0, at_ms=now, id="a b"), "invalid"),
    "says more": (lambda client, now: client.add(0, at_ms=now, more=1), "invalid"),
    "is gone at once": (lambda client, now: client.add(0, at_ms=now, gone=True), "odd"),
    "is no track": (lambda c, now: c.add(0, at_ms=now, uri="heartline:album:1"), "invalid"),
    "is Spotify's": (lambda c, now: c.add(0, at_ms=now, uri="spotify:track:t"), "invalid"),
    "has no uri": (lambda client, now: client.add(0, at_ms=now, uri=7), "invalid"),
    "has a surrogate": (lambda c, now: c.add(0, at_ms=now, uri="heartline:track:\0"), "invalid"),
    "is another's": (lambda client, now: client.add(0, at_ms=now, added_by="eve"), "forbidden"),
    "is of no time": (lambda client, _now: client.add(0, at_ms=0, added_at="now"), "invalid"),
    "is of half a ms": (lambda client, _now: client.add(0, at_ms=0, added_at=0.5), "invalid"),
    "is true": (lambda client, _now: client.add(0, at_ms=0, added_at=True), "invalid"),
    "is of the future": (lambda client, now: client.add(0, at_ms=now + 600_000), "invalid"),
    "is of ever": (lambda client, _now: client.add(0, at_ms=(1 << 63) - 1), "invalid"),
    "is too old": (lambda c, now: c.add(0, at_ms=now - (HISTORY_DAYS + 1) * DAY_MS), "too_old"),
    "renames": (lambda client, _now: client.rename("X"), "forbidden"),
}


@pytest.mark.parametrize("what", MISCHIEF)
async def test_what_a_client_must_not_do_is_refused(what: str) -> None:
    clock = Clock()
    playlists = await made(clock)
    client = PlaylistClient(await playlists.open("mix"), PEER)
    mischief, reason = MISCHIEF[what]

    mischief(client, clock())
    client.document.commit()

    if reason == "odd":  # a ghost from the beginning: nothing is seen of it
        await client.send(playlists, "mix", clock())
        assert await names(playlists) == ["e0", "e1", "e2"]
        await in_order(playlists)
    else:
        assert await refused(playlists, client, clock()) == reason


@pytest.mark.parametrize(
    "name", [7, None, "", "a\nb", "x" * 300, ["x"]], ids=lambda name: repr(name)[:9]
)
async def test_an_owner_cannot_give_any_name(name: object) -> None:
    clock = Clock()
    playlists = await made(clock)
    client = PlaylistClient(await playlists.open("mix"), PEER, "ann")

    client.rename(name)

    with pytest.raises(CannotMerge):
        await client.send(playlists, "mix", clock(), Role.OWNER)
    assert (await playlists.head("mix")).details.name == "Mix"
    await in_order(playlists)


@pytest.mark.parametrize("peer", [SERVER, 77])
async def test_edits_of_another_peer_are_refused(peer: int) -> None:
    clock = Clock()
    playlists = await made(clock)
    client = PlaylistClient(await playlists.open("mix"), PEER)
    client.document.peer_id = peer
    client.move(0, 1)

    assert await refused(playlists, client, clock()) == "forbidden"


async def test_a_gap_is_refused_and_can_be_closed() -> None:
    clock = Clock()
    playlists = await made(clock)
    client = PlaylistClient(await playlists.open("mix"), PEER)
    begin = client.sent
    client.move(0, 1)
    client.sent = client.document.oplog_vv
    client.move(0, 2)

    assert await refused(playlists, client, clock()) == "gap"
    client.sent = begin
    assert await client.send(playlists, "mix", clock())


@pytest.mark.parametrize("update", [b"", b"junk", b"loro" * 9])
async def test_what_is_no_update_is_refused(update: bytes) -> None:
    clock = Clock()
    playlists = await made(clock)
    judge = Judge("bob", PEER, Role.EDIT, clock())

    with pytest.raises(CannotMerge, match="not an update"):
        await playlists.edit("mix", Merge(update, judge), by="bob", allow=anybody)


async def test_a_snapshot_is_no_update() -> None:
    clock = Clock()
    playlists = await made(clock)
    client = PlaylistClient(await playlists.open("mix"), PEER)
    client.move(0, 1)
    judge = Judge("bob", PEER, Role.EDIT, clock())
    snapshot = bytes(client.document.export(ExportMode.Snapshot()))

    with pytest.raises(CannotMerge, match="not a snapshot"):
        await playlists.edit("mix", Merge(snapshot, judge), by="bob", allow=anybody)


async def test_a_document_of_ones_own_is_refused() -> None:
    clock = Clock()
    playlists = await made(clock)
    document = LoroDoc()
    document.peer_id = PEER
    document.get_movable_list(ENTRIES).insert(0, 1)
    document.commit()
    update = bytes(document.export(ExportMode.Updates(LoroDoc().oplog_vv)))
    judge = Judge("bob", PEER, Role.EDIT, clock())

    with pytest.raises(CannotMerge):
        await playlists.edit("mix", Merge(update, judge), by="bob", allow=anybody)
    await in_order(playlists)


async def test_more_than_a_playlist_holds_is_refused() -> None:
    clock = Clock()
    playlists = await made(clock, entries=MOST_ENTRIES)
    client = PlaylistClient(await playlists.open("mix"), PEER)
    client.add(0, at_ms=clock())

    assert await refused(playlists, client, clock()) == "too_long"


@given(st.data())
async def test_a_damaged_update_does_no_harm(data: st.DataObject) -> None:
    clock = Clock()
    playlists = await made(clock)
    client = PlaylistClient(await playlists.open("mix"), PEER)
    client.add(1, at_ms=clock())
    client.move(0, 2)
    client.remove(1)
    update = bytearray(client.update())
    for _ in range(data.draw(st.integers(1, 4))):
        update[data.draw(st.integers(0, len(update) - 1))] = data.draw(st.integers(0, 255))
    judge = Judge("bob", PEER, Role.EDIT, clock())

    with contextlib.suppress(CannotMerge):
        await playlists.edit("mix", Merge(bytes(update), judge), by="bob", allow=anybody)

    await in_order(playlists)
    playlist: OpenPlaylist = await playlists.open("mix")
    assert {entry.id for entry in playlist.entries} <= {"e0", "e1", "e2", f"p{PEER}n1"}


async def test_a_removal_wins_over_a_move() -> None:
    clock = Clock()
    playlists = await made(clock)
    one = PlaylistClient(await playlists.open("mix"), PEER, "bob")
    two = PlaylistClient(await playlists.open("mix"), PEER + 1, "eve")
    one.remove(0)
    two.move(0, 2)
    one_too = PlaylistClient(await playlists.open("mix"), PEER + 2, "bob")
    one_too.move(1, 0)
    two_too = PlaylistClient(await playlists.open("mix"), PEER + 3, "eve")
    two_too.remove(1)

    for client in (one, two, one_too, two_too):
        await client.send(playlists, "mix", clock())

    assert await names(playlists) == ["e2"]
    await in_order(playlists)


async def test_a_removal_without_being_gone_first_wins_as_well() -> None:
    clock = Clock()
    playlists = await made(clock)
    one = PlaylistClient(await playlists.open("mix"), PEER, "bob")
    two = PlaylistClient(await playlists.open("mix"), PEER + 1, "eve")
    one.document.get_movable_list(ENTRIES).delete(0, 1)
    one.document.commit()
    two.move(0, 2)
    name = two.add(0, at_ms=clock())

    for client in (one, two):
        await client.send(playlists, "mix", clock())

    assert await names(playlists) == [name, "e1", "e2"]
    await in_order(playlists)


async def test_what_spoils_nothing_costs_no_document() -> None:
    clock = Clock()
    playlists = await made(clock)
    document = (await playlists.open("mix")).document
    judge = Judge("bob", PEER, Role.EDIT, clock())

    with pytest.raises(CannotMerge):
        await playlists.edit("mix", Merge(b"junk", judge), by="bob", allow=anybody)

    assert (await playlists.open("mix")).document is document


class Panic(BaseException):
    """What loro's are like."""


@pytest.mark.parametrize("error", [ZeroDivisionError, Panic])
async def test_an_error_that_nobody_expected_holds_nobody_up(error: type[BaseException]) -> None:
    clock = Clock()
    playlists = await made(clock)

    class Broken:
        async def make(self, *_: object) -> int:
            raise error

    edits = [playlists.edit("mix", Broken(), by="bob", allow=anybody) for _ in range(3)]
    done = await asyncio.gather(*edits, return_exceptions=True)
    await playlists.edit("mix", ListChange(Replace(())), by="bob", allow=anybody)

    assert [type(each) for each in done] == [error] * 3
    assert await names(playlists) == []


@given(st.data())
async def test_a_forged_update_leaves_a_document_that_can_be_kept(data: st.DataObject) -> None:
    clock = Clock()
    playlists = await made(clock)
    client = PlaylistClient(await playlists.open("mix"), PEER)
    client.add(1, at_ms=clock())
    client.move(0, 2)
    client.remove(1)
    update = bytearray(client.update())
    for _ in range(data.draw(st.integers(1, 4))):
        update[data.draw(st.integers(22, len(update) - 1))] = data.draw(st.integers(0, 255))
    update[16:20] = xxh32(bytes(update[20:])).to_bytes(4, "little")
    judge = Judge("bob", PEER, Role.EDIT, clock())

    with contextlib.suppress(CannotMerge):
        await playlists.edit("mix", Merge(bytes(update), judge), by="bob", allow=anybody)

    await in_order(playlists)
    playlist = await playlists.open("mix")
    assert playlist.document is not None
    assert PlaylistDocument(playlist.document.snapshot()).entries() == playlist.entries
    assert PlaylistDocument(playlist.copy()).entries() == playlist.entries


async def test_what_was_carried_over_is_not_done_again_with_what_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    playlists = await made(clock)
    client = PlaylistClient(await playlists.open("mix"), PEER, "ann")
    begin = client.sent
    monkeypatch.setattr(playlist_log, "ROOT_EDITS", 2)
    for number in range(3):
        added = Entry(f"n{number}", "t", clock(), "ann")
        await playlists.edit("mix", ListChange(Add((added,))), by="ann", allow=anybody)
    name = client.add(0, at_ms=clock())
    client.rename("Theirs")
    await client.send(playlists, "mix", clock(), Role.OWNER)
    gone = ListChange(
        Remove((Removal("t", (0,)),)), details=lambda now: msgspec.structs.replace(now, name="Mine")
    )
    await playlists.edit("mix", gone, by="ann", allow=anybody)
    assert name not in await names(playlists)

    client.sent = begin  # the answer was lost, and more was done
    later = client.add(0, at_ms=clock())
    await client.send(playlists, "mix", clock(), Role.OWNER)

    assert name not in await names(playlists)
    assert later in await names(playlists)
    assert (await playlists.head("mix")).details.name == "Mine"
