"""``WS /v1/playlists/{id}/live``: a playlist edited together; see `serve.live_messages`.

Who connects says hello with an access token. The token, the account and the role are looked at again
with every message, and the head that an edit is accepted with is one in which its sender had the role.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from starlette.websockets import WebSocket, WebSocketDisconnect

from domain.errors import HeartlineError, Unavailable
from domain.ids import is_id
from domain.playlist_versions import snapshot_id
from domain.playlists import Role
from serve.auth import Access, Caller, require, require_role, role_in
from serve.errors import ApiError, as_api_error
from serve.live_messages import (
    MOST_UPDATE_BYTES,
    Accepted,
    Edit,
    Failed,
    Hello,
    NotUnderstood,
    Person,
    Refused,
    Reset,
    Welcome,
    read_message,
    write_message,
)
from serve.live_rooms import Rooms, Seat
from serve.playlists import only_for
from stores.accounts import Scope
from stores.open_playlist import OpenPlaylist
from stores.playlist_document import read_head
from stores.playlist_errors import CannotMerge, Outdated
from stores.playlist_merging import Judge, Merge
from stores.playlists import Playlists

PATH = "/v1/playlists/{id}/live"
HELLO_S = 10.0
SEND_S = 20.0
REASON_BYTES = 120  # RFC 6455, 5.5: a close frame has 123 with some room
PASSING = frozenset({"gap", "again"})  # refusals after which the same is sent again
MOST_PEERS = 4  # of a visit, after as many resets
MOST_REFUSED = 8  # in a row; a client that does not understand costs as much as one that edits
CLOSED_BY_STATUS = 4000  # added to the status: 4401, 4404; what RFC 6455 leaves to applications
STATUS_OF = {"gap": 409, "too_old": 410, "forbidden": 403, "too_long": 403}

logger = logging.getLogger(__name__)


class Session(NamedTuple):
    """A copy of the document that somebody edits, and the peer that its edits bear."""

    name: str
    peer: int


class Visit:
    """A connection that has said hello."""

    def __init__(
        self, playlist_id: str, token: str, caller: Caller, session: Session, hello: Hello
    ) -> None:
        self.playlist_id, self.token, self.caller = playlist_id, token, caller
        self.session, self.hello = session, hello
        self._peers = [session.peer]

    def begin(self, session: Session) -> None:
        """Have another session; edits of those before it may be under way."""
        self.session = session
        self._peers = [*self._peers[-MOST_PEERS:], session.peer]

    def peer_of(self, update: bytes) -> int:
        """Tell which of the visit's peers an update is by; if by none, the present one.

        :raises CannotMerge: if it is no update.
        """
        written = read_head(update).peers
        return next((peer for peer in reversed(self._peers) if peer in written), self.session.peer)


class Live:
    """Answers connections."""

    def __init__(
        self,
        playlists: Playlists,
        access: Access,
        rooms: Rooms,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._playlists, self._access, self._rooms = playlists, access, rooms
        self._now_ms, self._new_id = now_ms, new_id

    async def connect(self, websocket: WebSocket) -> None:
        """Serve one connection until it ends."""
        await websocket.accept()
        with contextlib.suppress(WebSocketDisconnect):
            try:
                visit = await self._hello(websocket)
                await self._stay(websocket, visit)
            except (NotUnderstood, CannotMerge) as error:
                await close(websocket, Failed(400, "malformed", str(error)))
            except Exception as error:  # the outermost place of a connection
                answer = as_api_error(error)
                if answer.status == 500:
                    logger.exception("a connection failed", exc_info=error)
                await close(websocket, Failed(answer.status, answer.reason, answer.message))

    async def _hello(self, websocket: WebSocket) -> Visit:
        try:
            async with asyncio.timeout(HELLO_S):
                said = read_message(await received(websocket))
        except TimeoutError as error:
            raise ApiError(408, f"no hello within {HELLO_S:g} s", "request_timeout") from error
        if not isinstance(said, Hello):
            raise NotUnderstood("the first message is hello")
        token = said.token or header_token(websocket)
        caller = await self._caller(token)
        playlist_id: str = websocket.path_params["id"]
        if not is_id(playlist_id):
            raise ApiError(404, "there is no such playlist", "not_found")
        # Without a version there is no copy, and a peer that has written before may not begin anew.
        is_known = said.session and said.version is not None and is_id(said.session)
        named = said.session if said.session and is_known else self._new_id()
        return Visit(playlist_id, token, caller, session_of(playlist_id, caller, named), said)

    async def _stay(self, websocket: WebSocket, visit: Visit) -> None:
        seat = Seat(visit.caller.listener_id, visit.session.name, lambda: self._caller(visit.token))
        seat.needs_role = Scope.OPERATOR not in visit.caller.scopes
        people = await self._rooms.people_with(visit.playlist_id, visit.caller.listener_id)
        require_role(visit.caller, await self._playlists.head(visit.playlist_id), Role.VIEW)
        playlist = await self._playlists.open(visit.playlist_id)
        # Nothing comes between this and the seat: what the welcome lacks, the seat is told.
        updates = since(visit, playlist)
        if updates is None and visit.hello.version is not None:
            visit.begin(session_of(playlist.id, visit.caller, self._new_id()))
        seat.tell(write_message(welcome(visit, playlist, people, updates)))
        room = self._rooms.enter(playlist, seat)
        try:
            await room.announce(seat)
            async with asyncio.TaskGroup() as tasks:
                telling = tasks.create_task(send_all(websocket, seat))
                try:
                    await self._listen(websocket, visit, seat)
                finally:
                    telling.cancel()
        except* WebSocketDisconnect:
            pass
        except* (NotUnderstood, ApiError, HeartlineError) as group:
            raise group.exceptions[0] from None
        finally:
            await self._rooms.leave(room, playlist.id, seat)

    async def _listen(self, websocket: WebSocket, visit: Visit, seat: Seat) -> None:
        refused = 0
        while refused < MOST_REFUSED:
            said = read_message(await received(websocket))
            if not isinstance(said, Edit):
                raise NotUnderstood("hello is said once")
            caller = await self._caller(visit.token)
            may_pass = await self._edit(visit, caller, said, seat)
            refused = 0 if may_pass else refused + 1
        raise NotUnderstood(f"{MOST_REFUSED} edits in a row were refused")

    async def _edit(self, visit: Visit, caller: Caller, said: Edit, seat: Seat) -> bool:
        playlist_id = visit.playlist_id
        try:
            number, is_carried = await self._merged(visit, caller, said.update)
        except CannotMerge as error:
            status = STATUS_OF.get(error.reason, 400)
            seat.tell(write_message(Refused(said.id, status, error.reason, str(error))))
            return error.reason in PASSING
        except HeartlineError as error:
            answer = as_api_error(error)
            seat.tell(write_message(Refused(said.id, answer.status, answer.reason, answer.message)))
            return isinstance(error, Unavailable)
        seat.tell(write_message(Accepted(said.id, snapshot_id(playlist_id, number))))
        if is_carried:
            await self._reset(visit, caller, seat)
        return True

    async def _merged(self, visit: Visit, caller: Caller, update: bytes) -> tuple[int, bool]:
        if len(update) > MOST_UPDATE_BYTES:
            raise CannotMerge("too_large", f"an update has at most {MOST_UPDATE_BYTES} bytes")
        playlist_id, allow = visit.playlist_id, only_for(caller, Role.EDIT)
        head = await self._playlists.head(playlist_id)
        allow(head)
        role = role_in(caller, head) or Role.VIEW
        judge = Judge(caller.listener_id, visit.peer_of(update), role, self._now_ms())
        try:
            merge = Merge(update, judge)
            by = caller.listener_id
            return await self._playlists.edit(playlist_id, merge, by=by, allow=allow), False
        except Outdated:
            return await self._playlists.merge(playlist_id, update, judge, allow=allow), True

    async def _reset(self, visit: Visit, caller: Caller, seat: Seat) -> None:
        playlist = await self._playlists.open(visit.playlist_id)
        visit.begin(session_of(playlist.id, caller, self._new_id()))
        told = Reset(
            snapshot_id(playlist.id, playlist.head.number),
            visit.session.name,
            str(visit.session.peer),
            playlist.copy(),
        )
        seat.tell(write_message(told))

    async def _caller(self, token: str) -> Caller:
        caller = await self._access.caller(token)
        require(caller, Scope.LISTENER)
        return caller


def session_of(playlist_id: str, caller: Caller, name: str) -> Session:
    """Tell the peer of a session: a hash of whose it is, so that nobody can have another's."""
    named = f"{playlist_id} {caller.listener_id} {name}".encode()
    peer = int.from_bytes(blake2b(named, digest_size=8).digest(), "big") >> 1
    return Session(name, peer | 1 << 32)  # never the server's, which is small


def since(visit: Visit, playlist: OpenPlaylist) -> bytes | None:
    """Give what a client's copy lacks; None if it has none that can be gone on with.

    :raises CannotMerge: if what it says of its version cannot be read.
    """
    if visit.hello.version is None or visit.hello.session is None:
        return None
    return playlist.updates_since(visit.hello.version)


def welcome(
    visit: Visit, playlist: OpenPlaylist, people: list[Person], updates: bytes | None
) -> Welcome:
    """Say what a client needs to begin, or to go on with the copy that it has."""
    return Welcome(
        snapshot_id=snapshot_id(playlist.id, playlist.head.number),
        session=visit.session.name,
        peer=str(visit.session.peer),
        role=require_role(visit.caller, playlist.head, Role.VIEW),
        people=people,
        snapshot=playlist.copy() if updates is None else None,
        updates=None if updates is None else [updates],
    )


async def received(websocket: WebSocket) -> str:
    """Wait for a message.

    :raises NotUnderstood: if it is not text.
    """
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    if text is None:
        raise NotUnderstood("a message is JSON in a text frame")
    return str(text)


async def send_all(websocket: WebSocket, seat: Seat) -> None:
    """Send what a seat is told, until it has to leave."""
    with contextlib.suppress(TimeoutError):  # it does not read; nothing more can be told
        while (text := await seat.next()) is not None:
            async with asyncio.timeout(SEND_S):
                await websocket.send_text(text)
    if seat.leaving:
        await close(websocket, seat.leaving)
    raise WebSocketDisconnect(1000)


async def close(websocket: WebSocket, why: Failed) -> None:
    """Say why, and close."""
    reason = why.message.encode()[:REASON_BYTES].decode(errors="ignore")
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(SEND_S):
            await websocket.send_text(write_message(why))
            await websocket.close(CLOSED_BY_STATUS + why.status, reason)


def header_token(websocket: WebSocket) -> str:
    """Take a bearer token out of the headers; "" if there is none."""
    scheme, _, token = websocket.headers.get("authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
