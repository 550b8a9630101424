"""Who has a playlist open in this process, and what they are told: edits as they come, and who is there."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

from domain.errors import HeartlineError
from domain.playlist_versions import snapshot_id
from serve.auth import Caller
from serve.errors import ApiError
from serve.instants import iso
from serve.live_messages import Edited, Failed, People, Person, Told, write_message
from stores.accounts import Accounts
from stores.open_playlist import OpenPlaylist
from stores.playlist_errors import NoPlaylist
from stores.playlist_rows import Head, Record
from stores.playlist_visitors import PlaylistVisitors
from stores.playlists import Playlists

LOOK_S = 0.4  # how often edits of other processes are looked for
LOOKS_A_ROUND = 5  # after which it is looked who is there
ROUNDS_A_SIGN = 5  # after which ours are told to be there still: well within a visitor's time
MOST_WAITING = 256  # messages for a client that does not read

logger = logging.getLogger(__name__)


class Seat:
    """A connection in a room, and what waits to be sent to it."""

    def __init__(
        self, listener_id: str, session: str, caller: Callable[[], Awaitable[Caller]]
    ) -> None:
        self.listener_id, self.session, self.caller = listener_id, session, caller
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self.leaving: Failed | None = None
        self._left = asyncio.Event()
        self.needs_role = True  # an operator sees everything without one

    def tell(self, text: str) -> None:
        """Have something sent; who does not read for long has to leave."""
        try:
            self._waiting.put_nowait(text)
        except asyncio.QueueFull:
            self.leave(Failed(503, "slow", "you do not read what you are told: connect again"))

    def leave(self, why: Failed) -> None:
        """Have the connection closed."""
        self.leaving = self.leaving or why
        self._left.set()

    async def next(self) -> str | None:
        """Wait for what is to be sent; None: the connection is to be closed."""
        if self._waiting.empty() and not self._left.is_set():
            waits = {
                asyncio.ensure_future(self._waiting.get()),
                asyncio.ensure_future(self._left.wait()),
            }
            try:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            if self._left.is_set():
                return None
            return next(str(each.result()) for each in done)
        return None if self._left.is_set() else self._waiting.get_nowait()


class Room:
    """The seats at one playlist; while there are any, it looks for what others did."""

    def __init__(
        self,
        playlist: OpenPlaylist,
        playlists: Playlists,
        visitors: PlaylistVisitors,
        accounts: Accounts,
        look_s: float,
    ) -> None:
        self.seats: set[Seat] = set()
        self._playlist, self._playlists = playlist, playlists
        self._visitors, self._accounts, self._look_s = visitors, accounts, look_s
        self._here: set[str] = set()  # listeners, other processes' included, as it was told last
        self._is_other = False  # somebody came or went since
        self._looking: asyncio.Task[None] | None = None

    def enter(self, seat: Seat) -> None:
        """Take a seat; whoever has one with the same session leaves it, for there is one copy."""
        for other in self.seats:
            if (other.session, other.listener_id) == (seat.session, seat.listener_id):
                other.leave(Failed(409, "replaced", "the same session is connected again"))
        self.seats.add(seat)
        self._playlist.watchers.add(self._edited)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def announce(self, seat: Seat) -> None:
        """Tell other processes that a seat is taken; others here are told at the next look."""
        self._is_other = True
        await self._visitors.are_here(self._playlist.id, [(seat.session, seat.listener_id)])

    async def leave(self, seat: Seat) -> None:
        """Leave a seat; the last one closes the room."""
        self.seats.discard(seat)
        self._is_other = True
        if not self.seats:
            self._playlist.watchers.discard(self._edited)
            if self._looking is not None:
                self._looking.cancel()
                await asyncio.wait([self._looking])
                self._looking = None
        if seat.session not in {other.session for other in self.seats}:
            with contextlib.suppress(HeartlineError):
                await self._visitors.left(self._playlist.id, seat.session)

    def check(self, head: Head) -> None:
        """Have those leave who may not see the playlist any more."""
        for seat in [*self.seats]:
            if head.role_of(seat.listener_id) is None and seat.needs_role:
                seat.leave(Failed(404, "not_found", "the playlist is not yours to see any more"))

    async def check_callers(self) -> None:
        """Have those leave whose token has expired, or whose account is gone."""
        for seat in [*self.seats]:
            try:
                await seat.caller()
            except ApiError as error:
                seat.leave(Failed(error.status, error.reason, error.message))

    def _edited(self, records: Sequence[Record], head: Head) -> None:
        self.check(head)
        self._tell(
            Edited(
                snapshot_id(self._playlist.id, record.number),
                record.by,
                iso(record.at_ms),
                record.updates,
            )
            for record in records
        )

    def _tell(self, messages: Iterable[Told]) -> None:
        for text in [write_message(each) for each in messages]:
            for seat in self.seats:
                seat.tell(text)

    async def _look(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(self._look_s)
            looks += 1
            try:
                self.check((await self._playlists.view(self._playlist.id)).head)
                await self._look_around(looks)
            except NoPlaylist:
                for seat in self.seats:
                    seat.leave(Failed(404, "not_found", "the playlist was deleted"))
            except HeartlineError:
                continue  # the store is away; whoever edits is told
            except Exception:
                logger.exception("a look at a playlist failed")

    async def _look_around(self, looks: int) -> None:
        """Tell who is there, if others came or went; now and then, that ours are there still."""
        if looks % (LOOKS_A_ROUND * ROUNDS_A_SIGN) == 0:
            ours = [(seat.session, seat.listener_id) for seat in self.seats]
            await self._visitors.are_here(self._playlist.id, ours)
            await self.check_callers()
        if not self._is_other and looks % LOOKS_A_ROUND:
            return
        self._is_other = False
        here = await self._visitors.of(self._playlist.id)
        ids = {*here.values(), *(seat.listener_id for seat in self.seats)}
        if ids != self._here:
            self._here = ids
            self._tell([People(await people(ids, self._accounts))])


class Rooms:
    """The rooms of one process."""

    def __init__(
        self,
        playlists: Playlists,
        visitors: PlaylistVisitors,
        accounts: Accounts,
        *,
        look_s: float = LOOK_S,
    ) -> None:
        self._playlists, self._visitors, self._accounts = playlists, visitors, accounts
        self._look_s = look_s
        self._rooms: dict[str, Room] = {}

    async def people_with(self, playlist_id: str, listener_id: str) -> list[Person]:
        """Tell who is there, with one who is about to enter."""
        here = await self._visitors.of(playlist_id)
        return await people([*here.values(), listener_id], self._accounts)

    def enter(self, playlist: OpenPlaylist, seat: Seat) -> Room:
        """Take a seat in a playlist's room; it is told of everything that comes from now on."""
        room = self._rooms.get(playlist.id)
        if room is None:
            room = self._rooms[playlist.id] = Room(
                playlist, self._playlists, self._visitors, self._accounts, self._look_s
            )
        room.enter(seat)
        return room

    async def leave(self, room: Room, playlist_id: str, seat: Seat) -> None:
        """Leave a seat."""
        if room.seats <= {seat}:
            self._rooms.pop(playlist_id, None)
        await room.leave(seat)


async def people(listener_ids: Collection[str], accounts: Accounts) -> list[Person]:
    """Name listeners, each once."""
    found = await accounts.by_ids(listener_ids)
    return [
        Person(each, found[each].display_name if each in found else None)
        for each in sorted(set(listener_ids))
    ]
