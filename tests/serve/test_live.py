"""A playlist edited together: who connects, what they are told, and when they have to leave."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from loro import ExportMode, LoroDoc, LoroMap

from domain.errors import Unavailable
from serve import live, live_messages
from serve.auth import NOBODY, Caller
from serve.live_rooms import MOST_WAITING, Seat
from stores import playlist_log
from stores.accounts import Account
from stores.playlist_visitors import PlaylistVisitors
from tests.serve.live_socket import Closed, Socket, connected
from tests.serve.world import World

TRACKS = [f"heartline:track:t{number}" for number in range(4)]


@dataclass
class Copy:
    """A client's copy of the document, as a welcome or a reset gave it."""

    socket: Socket
    told: dict[str, Any]
    who: str

    def __post_init__(self) -> None:
        self.document = LoroDoc()
        self.document.import_(base64.b64decode(self.told["snapshot"]))
        self.document.peer_id = int(self.told["peer"])
        self.sent = self.document.oplog_vv

    @property
    def entries(self) -> Any:
        return self.document.get_movable_list("entries")

    def add(self, place: int, track: str, at_ms: int) -> None:
        made = self.entries.insert_container(place, LoroMap())
        made.insert("id", track)
        made.insert("uri", f"heartline:track:{track}")
        made.insert("added_at", at_ms)
        made.insert("added_by", self.who)

    def tracks(self) -> list[str]:
        listed = self.entries.get_deep_value()
        return [each["uri"].rpartition(":")[2] for each in listed if not each.get("gone")]

    async def send(self, name: str = "1") -> None:
        self.document.commit()
        update = self.document.export(ExportMode.Updates(self.sent))
        encoded = base64.b64encode(update).decode()
        await self.socket.say({"type": "edit", "id": name, "update": encoded})
        self.sent = self.document.oplog_vv

    async def answer(self) -> dict[str, Any]:
        while (told := await self.socket.hear())["type"] not in {"accepted", "refused"}:
            pass
        return told

    async def take(self) -> dict[str, Any]:
        edited = await self.socket.hear("edited")
        for update in edited["updates"]:
            self.document.import_(base64.b64decode(update))
        return edited


@dataclass
class Party:
    """Ann's private playlist of four tracks, which bob may edit and eve may not see."""

    world: World
    ann: Account
    bob: Account
    eve: Account
    id: str
    invite: str

    @asynccontextmanager
    async def connection(self, account: Account | None) -> AsyncIterator[Socket]:
        headers = self.world.bearer(account) if account else {}
        path = f"/v1/playlists/{self.id}/live"
        async with connected(self.world.main, path, headers) as socket:
            yield socket

    @asynccontextmanager
    async def copy(self, account: Account, **hello: object) -> AsyncIterator[Copy]:
        async with self.connection(account) as socket:
            await socket.say({"type": "hello", **hello})
            yield Copy(socket, await socket.hear("welcome"), account.listener_id)

    async def tracks(self) -> list[str]:
        async with self.world.client(self.ann) as client:
            items = (await client.get(f"/v1/playlists/{self.id}/items")).json()["items"]
        return [item["track"]["id"] for item in items]


@pytest.fixture
async def party(world: World) -> Party:
    ann, bob, eve = [await world.account(name) for name in ("ann", "bob", "eve")]
    async with world.client(ann) as mine, world.client(bob) as theirs:
        made = await mine.post("/v1/me/playlists", json={"name": "Mix", "public": False})
        playlist_id = made.json()["id"]
        await mine.post(f"/v1/playlists/{playlist_id}/items", json=TRACKS)
        url = f"/v1/playlists/{playlist_id}"
        invited = (await mine.post(f"{url}/invites", json={"role": "edit"})).json()
        await theirs.post(f"{url}/collaborators", json={"token": invited["token"]})
    return Party(world, ann, bob, eve, playlist_id, invited["id"])


async def test_a_welcome_has_everything_to_begin_with(party: Party) -> None:
    async with party.copy(party.bob) as copy:
        assert copy.tracks() == ["t0", "t1", "t2", "t3"]
        assert copy.told["role"] == "edit"
        assert copy.told["people"] == [{"id": party.bob.listener_id, "display_name": "bob"}]


async def test_a_token_may_come_with_the_hello(party: Party) -> None:
    token = party.world.bearer(party.ann)["Authorization"].removeprefix("Bearer ")
    async with party.connection(None) as socket:
        await socket.say({"type": "hello", "token": token})

        assert (await socket.hear())["role"] == "owner"


async def test_everybody_sees_what_one_does(party: Party) -> None:
    async with party.copy(party.ann) as ann, party.copy(party.bob) as bob:
        bob.add(1, "new", party.world.clock())
        bob.entries.mov(0, 4)
        await bob.send("mine")

        edited = await ann.take()
        accepted = await bob.socket.hear("accepted")

        assert ann.tracks() == bob.tracks() == ["new", "t1", "t2", "t3", "t0"]
        assert await party.tracks() == ann.tracks()
        assert (accepted["id"], edited["by"]) == ("mine", party.bob.listener_id)
        assert accepted["snapshot_id"] == edited["snapshot_id"]


async def test_what_is_done_over_http_is_seen(party: Party) -> None:
    async with party.copy(party.bob) as bob, party.world.client(party.ann) as client:
        change = {"range_start": 3, "insert_before": 0}
        done = (await client.put(f"/v1/playlists/{party.id}/items", json=change)).json()

        edited = await bob.take()

        assert bob.tracks() == ["t3", "t0", "t1", "t2"]
        assert edited["snapshot_id"] == done["snapshot_id"]


async def test_what_another_process_does_is_seen(party: Party) -> None:
    async with party.copy(party.bob) as bob, another_process(party.world) as other:
        async with other.client(party.ann) as client:
            await client.request(
                "DELETE",
                f"/v1/playlists/{party.id}/items",
                json={"items": [{"uri": TRACKS[0]}]},
            )

        await bob.take()

        assert bob.tracks() == ["t1", "t2", "t3"]


@asynccontextmanager
async def another_process(world: World) -> AsyncIterator[World]:
    other = World(world.directory, world.tables, world.changes, world.clock)
    yield other
    await other.index.close()


async def test_it_is_told_who_is_there(party: Party) -> None:
    async with party.copy(party.ann) as ann:
        async with party.copy(party.bob):
            there = (await ann.socket.hear("people"))["people"]
            assert [person["display_name"] for person in there] == ["ann", "bob"]
        party.world.clock.advance(1)

        left = (await ann.socket.hear("people"))["people"]
        assert [person["display_name"] for person in left] == ["ann"]


async def test_who_comes_back_goes_on_with_the_same_copy(party: Party) -> None:
    async with party.copy(party.bob) as before:
        pass
    before.add(0, "offline", party.world.clock())
    before.document.commit()
    async with party.world.client(party.ann) as client:
        await client.post(f"/v1/playlists/{party.id}/items", json=["heartline:track:t9"])

    async with party.connection(party.bob) as socket:
        version = base64.b64encode(before.document.oplog_vv.encode()).decode()
        hello = {"type": "hello", "session": before.told["session"], "version": version}
        await socket.say(hello)
        welcome = await socket.hear("welcome")
        before.document.import_(base64.b64decode(welcome["updates"][0]))
        before.socket = socket
        await before.send()

        assert (await socket.hear("accepted"))["id"] == "1"
        assert welcome["peer"] == before.told["peer"]
        assert before.tracks() == ["offline", "t0", "t1", "t2", "t3", "t9"]
        assert await party.tracks() == before.tracks()


async def test_who_comes_back_too_late_begins_a_copy_anew(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with party.copy(party.bob) as before:
        before.entries.mov(0, 3)
        monkeypatch.setattr(playlist_log, "ROOT_EDITS", 3)
        async with party.world.client(party.ann) as client:
            for number in range(5, 9):
                track = f"heartline:track:t{number}"
                await client.post(f"/v1/playlists/{party.id}/items", json=[track])

        await before.send()

        await before.socket.hear("accepted")
        reset = await before.socket.hear("reset")
        after = Copy(before.socket, reset, party.bob.listener_id)
        assert after.tracks()[:3] == ["t1", "t2", "t3"]
        assert sorted(after.tracks()) == [f"t{number}" for number in range(9) if number != 4]
        assert reset["peer"] != before.told["peer"]
        after.entries.mov(0, 1)
        await after.send("again")
        assert (await after.socket.hear("accepted"))["id"] == "again"


async def test_what_must_not_be_done_is_refused_and_changes_nothing(party: Party) -> None:
    async with party.copy(party.ann) as ann, party.copy(party.bob) as bob:
        bob.document.get_map("details").insert("name", "Bob's")
        await bob.send()

        refused = await bob.socket.hear("refused")

        assert (refused["status"], refused["reason"]) == (403, "forbidden")
        ann.document.get_map("details").insert("name", "Ann's")
        await ann.send()
        await ann.socket.hear("accepted")
    async with party.world.client(party.ann) as client:
        shown = (await client.get(f"/v1/playlists/{party.id}")).json()
    assert shown["name"] == "Ann's"


async def test_who_may_only_see_is_told_edits_and_makes_none(party: Party) -> None:
    async with party.world.client(party.ann) as client:
        await client.put(f"/v1/playlists/{party.id}", json={"public": True})
    async with party.copy(party.eve) as eve, party.copy(party.bob) as bob:
        eve.entries.mov(0, 1)
        await eve.send()
        assert (await eve.socket.hear("refused"))["reason"] == "forbidden"

        bob.entries.mov(0, 3)
        await bob.send()

        assert (await eve.socket.hear("edited"))["by"] == party.bob.listener_id
    assert await party.tracks() == ["t1", "t2", "t3", "t0"]


async def test_a_role_that_was_withdrawn_ends_at_once(party: Party) -> None:
    async with party.copy(party.bob) as bob:
        async with party.world.client(party.ann) as client:
            await client.delete(f"/v1/playlists/{party.id}/invites/{party.invite}")
        bob.entries.mov(0, 1)
        await bob.send()

        assert (await bob.socket.hear("error"))["status"] == 404
        with pytest.raises(Closed) as closed:
            await bob.socket.hear()
        assert closed.value.code == 4404
    assert await party.tracks() == ["t0", "t1", "t2", "t3"]


async def test_a_playlist_that_is_deleted_closes_its_connections(party: Party) -> None:
    async with party.copy(party.bob) as bob:
        async with party.world.client(party.ann) as client:
            await client.delete(f"/v1/playlists/{party.id}")

        assert (await bob.socket.hear("error"))["message"] == "the playlist was deleted"
        with pytest.raises(Closed):
            await bob.socket.hear()


async def test_an_account_that_is_gone_edits_nothing(party: Party) -> None:
    async with party.copy(party.bob) as bob:
        await party.world.accounts.delete(party.bob.listener_id)
        bob.entries.mov(0, 1)
        await bob.send()

        assert (await bob.socket.hear("error"))["status"] == 401
        with pytest.raises(Closed) as closed:
            await bob.socket.hear()
        assert closed.value.code == 4401


async def test_a_token_that_has_expired_edits_nothing(party: Party) -> None:
    async with party.copy(party.bob) as bob:
        party.world.clock.advance(3_601_000)
        bob.entries.mov(0, 1)
        await bob.send()

        assert (await bob.socket.hear("error"))["status"] == 401
    assert await party.tracks() == ["t0", "t1", "t2", "t3"]


@pytest.mark.parametrize(
    ("who", "playlist", "code"),
    [("eve", None, 4404), ("nobody", None, 4401), ("ann", "other", 4404), ("ann", "a\nb", 4404)],
)
async def test_who_may_not_know_of_it_is_told_nothing(
    party: Party, who: str, playlist: str | None, code: int
) -> None:
    account = None if who == "nobody" else getattr(party, who)
    party.id = playlist or party.id
    async with party.connection(account) as socket:
        await socket.say({"type": "hello"})

        assert (await socket.hear())["type"] == "error"
        with pytest.raises(Closed) as closed:
            await socket.hear()
        assert closed.value.code == code


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "null",
        "[]",
        '"hello"',
        '{"type": "hello", "version": 7}',
        '{"type": "edit", "update": ""}',
        '{"type": "other"}',
        '{"type": "hello", "version": "!!"}',
        b"\x00",
        "[" * 100_000,
        "x" * (live_messages.MOST_CHARACTERS + 1),
    ],
    ids=lambda frame: repr(frame[:30]),
)
async def test_what_is_no_hello_closes_the_connection(party: Party, frame: str | bytes) -> None:
    async with party.connection(party.ann) as socket:
        await socket.send(frame)

        assert (await socket.hear())["status"] == 400
        with pytest.raises(Closed) as closed:
            await socket.hear()
        assert closed.value.code == 4400


async def test_a_version_that_cannot_be_read_is_refused(party: Party) -> None:
    async with party.connection(party.ann) as socket:
        await socket.say({"type": "hello", "session": "s", "version": "////"})

        assert (await socket.hear())["status"] == 400


async def test_who_is_refused_all_the_time_has_to_leave(party: Party) -> None:
    async with party.copy(party.bob) as bob:
        for _ in range(live.MOST_REFUSED):
            await bob.socket.say({"type": "edit", "update": "AAAA"})

        assert (await bob.socket.hear("error"))["status"] == 400


async def test_a_store_that_is_away_is_no_fault_of_the_client(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> int:
        raise Unavailable("away")

    async with party.copy(party.bob) as bob:
        bob.entries.mov(0, 1)
        with monkeypatch.context() as patched:
            patched.setattr(party.world.playlists.playlists, "edit", away)
            for _ in range(live.MOST_REFUSED + 1):
                begin = bob.sent
                await bob.send()
                assert (await bob.answer())["reason"] == "unavailable"
                bob.sent = begin
        await bob.send()

        assert (await bob.answer())["type"] == "accepted"


async def test_who_says_nothing_has_to_leave(party: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HELLO_S", 0.01)
    async with party.connection(party.ann) as socket:
        assert (await socket.hear())["status"] == 408


async def test_one_session_is_one_connection(party: Party) -> None:
    async with party.copy(party.bob) as before:
        version = base64.b64encode(before.document.oplog_vv.encode()).decode()
        hello = {"session": before.told["session"], "version": version}
        async with party.connection(party.bob) as after:
            await after.say({"type": "hello", **hello})
            assert (await after.hear("welcome"))["peer"] == before.told["peer"]

            assert (await before.socket.hear("error"))["reason"] == "replaced"
            with pytest.raises(Closed) as closed:
                await before.socket.hear()
            assert closed.value.code == 4409


async def test_a_session_without_a_copy_is_another_one(party: Party) -> None:
    async with party.copy(party.bob) as before:
        pass
    async with party.copy(party.bob, session=before.told["session"]) as after:
        assert after.told["peer"] != before.told["peer"]


async def test_who_has_to_begin_anew_does_so_with_another_peer(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with party.copy(party.bob) as before:
        version = base64.b64encode(before.document.oplog_vv.encode()).decode()
    monkeypatch.setattr(playlist_log, "ROOT_EDITS", 2)
    async with party.world.client(party.ann) as client:
        for _ in range(3):
            await client.post(f"/v1/playlists/{party.id}/items", json=TRACKS[:1])

    session = before.told["session"]
    async with party.copy(party.bob, session=session, version=version) as after:
        assert after.told["peer"] != before.told["peer"]
        assert len(after.tracks()) == 7


async def test_what_was_done_offline_on_a_copy_that_is_too_old_is_sent_first(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with party.copy(party.bob) as before:
        version = base64.b64encode(before.document.oplog_vv.encode()).decode()
    before.add(0, "offline", party.world.clock())
    monkeypatch.setattr(playlist_log, "ROOT_EDITS", 2)
    async with party.world.client(party.ann) as client:
        for _ in range(3):
            await client.post(f"/v1/playlists/{party.id}/items", json=TRACKS[:1])

    async with party.copy(party.bob, session=before.told["session"], version=version) as after:
        before.socket = after.socket
        await before.send("old")
        assert (await before.answer())["type"] == "accepted"
        anew = Copy(after.socket, await after.socket.hear("reset"), party.bob.listener_id)
        anew.entries.mov(0, 1)
        await anew.send("new")
        assert (await anew.answer())["type"] == "accepted"

    assert (await party.tracks())[:2] == ["t0", "offline"]


async def test_edits_that_were_under_way_are_sent_again_from_the_beginning(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with party.copy(party.bob) as bob:
        begin = bob.sent
        monkeypatch.setattr(playlist_log, "ROOT_EDITS", 2)
        async with party.world.client(party.ann) as client:
            for _ in range(3):
                await client.post(f"/v1/playlists/{party.id}/items", json=TRACKS[:1])
        for number in range(3):
            bob.add(0, f"mine{number}", party.world.clock())
            await bob.send(str(number))

        answers = [(await bob.answer())["type"] for _ in range(3)]
        bob.sent = begin
        await bob.send("all")

        assert answers == ["accepted", "refused", "refused"]
        assert (await bob.answer())["id"] == "all"
    assert (await party.tracks())[:3] == ["mine2", "mine1", "mine0"]
    assert len(await party.tracks()) == 10


async def test_who_only_listens_leaves_with_their_token(party: Party) -> None:
    async with party.copy(party.bob) as bob:
        party.world.clock.advance(3_601_000)

        assert (await bob.socket.hear("error"))["status"] == 401


async def test_a_store_that_is_away_keeps_no_seat(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(PlaylistVisitors, "are_here", away)
    async with party.connection(party.bob) as socket:
        await socket.say({"type": "hello"})
        assert (await socket.hear("error"))["status"] == 503
    playlist = await party.world.playlists.playlists.open(party.id)
    assert not playlist.watchers


async def nobody() -> Caller:
    return NOBODY


async def test_who_does_not_read_has_to_leave() -> None:
    seat = Seat("bob", "session", nobody)

    for _ in range(MOST_WAITING):
        seat.tell("x")
    assert await seat.next() == "x"
    for _ in range(2):
        seat.tell("x")

    assert await seat.next() is None
    assert seat.leaving is not None
    assert seat.leaving.reason == "slow"
