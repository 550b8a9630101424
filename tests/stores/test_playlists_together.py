"""Many edit one playlist: over HTTP of versions they have seen, and offline on copies of their own.

A seed draws who does what, when they come back, what is sent twice and by which replica it is taken.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.playlist_edits import Add, Removal, Remove, Reorder
from domain.playlists import Details, Entry
from stores import playlist_log
from stores.playlist_edits import ListChange
from stores.playlist_log import PlaylistLog
from stores.playlists import Playlists
from tests.clock import Clock
from tests.memory_tables import MemoryTables
from tests.stores.playlist_client import PlaylistClient, anybody

ID = "mix"
STEPS = 60


@contextmanager
def roots_each(edits: int) -> Iterator[None]:
    """Make a root after so few edits that older ones are met all the time."""
    usual = playlist_log.ROOT_EDITS
    playlist_log.ROOT_EDITS = edits
    try:
        yield
    finally:
        playlist_log.ROOT_EDITS = usual


@dataclass
class World:
    """Some replicas over one store, some clients, and what was added and removed so far."""

    random: Random
    clients: int = 3
    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.clock, self._ids, self._peers = Clock(), count(1), count(1 << 33)
        tables = MemoryTables(self.clock)
        self.replicas = [
            Playlists(PlaylistLog(tables), now_ms=self.clock, new_id=lambda: ID, random=self.random)
            for _ in range(2)
        ]

    @property
    def replica(self) -> Playlists:
        """Any of them."""
        return self.random.choice(self.replicas)

    def entry(self) -> Entry:
        """Make an entry that nobody has."""
        name = f"r{next(self._ids)}"
        self.added.add(name)
        return Entry(name, "t", self.clock(), "ann")

    async def begin(self) -> None:
        """Make the playlist, and a copy for each client."""
        await self.replica.create("ann", Details("Mix"))
        first = tuple(self.entry() for _ in range(5))
        await self.edit(ListChange(Add(first)))
        self.copies = [await self.copy() for _ in range(self.clients)]
        self.seen = [1]

    async def copy(self) -> PlaylistClient:
        """Have a new copy of the document."""
        return PlaylistClient(await self.replica.open(ID), next(self._peers))

    async def edit(self, change: ListChange) -> int:
        """Edit as HTTP does."""
        return await self.replica.edit(ID, change, by="ann", allow=anybody)

    async def edit_what_was_seen(self) -> None:
        """Edit some version that stood once."""
        number = self.random.choice(self.seen)
        seen = await self.replica.version(ID, number)
        place = self.random.randrange(len(seen) + 1)
        match self.random.randrange(3):
            case 0:
                edit: Add | Remove | Reorder = Add((self.entry(), self.entry()), place)
            case 1 if seen and place < len(seen):
                edit = Remove((Removal("t", (place,)),))
                self.removed.add(seen[place].id)
            case _ if place < len(seen):
                edit = Reorder(place, self.random.randrange(len(seen) + 1))
            case _:
                return
        self.seen.append(await self.edit(ListChange(edit, number, seen)))

    def edit_offline(self, client: PlaylistClient) -> None:
        """Edit a copy."""
        length = client.length
        place = self.random.randrange(length + 1)
        match self.random.randrange(3):
            case 0:
                self.added.add(client.add(place, at_ms=self.clock()))
            case 1 if place < length:
                self.removed.add(client.remove(place))
            case _ if place < length:
                client.move(place, self.random.randrange(length))

    async def meet(self, client: PlaylistClient) -> None:
        """Have a client send what it did and take what others did; perhaps it hears nothing of it."""
        playlists = self.replica
        end = client.sent
        may_go_on = await client.send(playlists, ID, self.clock())
        if self.random.random() < 0.3:  # the answer was lost: the same is sent again
            client.sent = end
            may_go_on = await client.send(self.replica, ID, self.clock())
        playlist = await playlists.open(ID)
        assert playlist.document is not None
        updates = playlist.updates_since(client.document.oplog_vv.encode()) if may_go_on else None
        if updates is None:
            client.begin(playlist, next(self._peers))
        else:
            client.take(updates)

    async def live(self) -> None:
        """Let everybody do something."""
        await self.begin()
        for _ in range(STEPS):
            self.clock.advance(1_000)
            client = self.random.choice(self.copies)
            match self.random.randrange(8):
                case 0 | 1 | 2 | 3:
                    self.edit_offline(client)
                case 4 | 5:
                    await self.edit_what_was_seen()
                case 6:
                    await self.meet(client)
                case _:
                    ways = (self.edit_what_was_seen() for _ in range(4))
                    await asyncio.gather(*ways, self.meet(client))

    async def come_together(self) -> list[list[str]]:
        """Have everybody meet, and tell what each sees."""
        for client in [*self.copies, *self.copies]:
            await self.meet(client)
        lists = [[each.id for each in (await one.view(ID)).entries] for one in self.replicas]
        documents = [(await one.open(ID)).document for one in self.replicas]
        stored = [[each.id for each in one.entries()] for one in documents if one]
        return [*lists, *stored, *(client.names() for client in self.copies)]


@pytest.mark.parametrize("edits", [7, 25, 1_000])
@given(seed=st.integers(0, 1 << 32))
def test_everybody_comes_to_see_the_same_list(edits: int, seed: int) -> None:
    async def run() -> None:
        world = World(Random(seed))
        await world.live()
        seen = await world.come_together()

        assert all(each == seen[0] for each in seen)
        assert len(seen[0]) == len(set(seen[0]))
        assert set(seen[0]) == world.added - world.removed

    with roots_each(edits):
        asyncio.run(run())


@given(seed=st.integers(0, 1 << 32), edits=st.sampled_from([4, 1_000]))
def test_edits_that_do_not_overlap_are_as_if_made_one_after_the_other(
    seed: int, edits: int
) -> None:
    async def run() -> None:
        random = Random(seed)
        world = World(random)
        await world.begin()
        lengths = [random.randrange(3, 6) for _ in world.copies]
        await world.edit(ListChange(Add(tuple(world.entry() for _ in range(sum(lengths))))))
        for client in world.copies:
            await world.meet(client)
        begins = [5 + sum(lengths[:n]) for n in range(len(lengths))]
        expected = world.copies[0].names()
        parts = [
            in_its_part(world, client, begin, length)
            for client, begin, length in zip(world.copies, begins, lengths, strict=True)
        ]
        expected = [*expected[:5], *(name for part in parts for name in part)]

        seen = await world.come_together()

        assert seen[0] == expected
        assert all(each == expected for each in seen)

    with roots_each(edits):
        asyncio.run(run())


def in_its_part(world: World, client: PlaylistClient, begin: int, length: int) -> list[str]:
    """Edit inside a part of the list, never at its edges, and tell what becomes of it."""
    random, last = world.random, length - 1
    for _ in range(random.randrange(6)):
        place = random.randrange(1, last + 1)
        match random.randrange(3):
            case 0:
                client.add(begin + place, at_ms=world.clock())
                last += 1
            case 1 if place < last:
                client.remove(begin + place)
                last -= 1
            case _ if place < last:
                client.move(begin + place, begin + random.randrange(1, last))
    return client.names()[begin : begin + last + 1]
