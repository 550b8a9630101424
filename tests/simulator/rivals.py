"""Processes that want the same at once: a name, an account to change, a refresh token to use.

Accounts and refresh tokens are the real ones, over the versioned tables of a simulated cluster. What
each was told is held against all that ever happened to the rows.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, TypeVar

import msgspec

from domain.errors import Refused, Unavailable
from domain.ports import Key, Table, Value
from stores.account_errors import Contended, NoAccount
from stores.accounts import Account, Accounts
from stores.refresh_families import Grant, RefreshFamilies, Session, UsedAgain, token_parts
from stores.table_cql import VERSION
from tests.simulator.comparison import Wrong
from tests.simulator.linked_session import QUEUED_S
from tests.simulator.linked_tables import LinkedTables
from tests.simulator.virtual_time import Process
from tests.simulator.world import MOST_KINDS, RATES, Fault, Stress, World

RIVALS = (2, 3, 4)
NAMES = ("ann", "bob")
STRIKING = (Fault.REFUSED, Fault.LOST, Fault.LATE, Fault.UNFINISHED)
RARE = (Fault.RIVAL_CRASH, Fault.RIVAL_STALL, Fault.STORE_AWAY)
DEEDS = ("create", "change", "change", "change", "use", "use", "use", "begin", "end")
AWAY_S = (0.5, 3.0, 30.0)
STALLS_S = (0.5, 3.0, 12.0)
LIMIT_S = 300.0  # within which everybody has an answer, once nothing fails any more

Result = TypeVar("Result")
Wish = tuple[str, Key, int, tuple[Value, ...]]  # a row: table, key, version, values (deleted: none)


def rates(seed: int) -> Stress:
    """Draw what strikes the rivals of a seed."""
    dice = Random(f"rivals of {seed}")
    kinds = dice.sample(STRIKING, dice.choice(MOST_KINDS))
    # a world without any rates draws its own
    return Stress(rates={Fault.REFUSED: 0.0, **{kind: dice.choice(RATES) for kind in kinds}})


@dataclass(slots=True)
class Verdicts:
    """What was answered to those who wanted to write a row."""

    won: Counter[Wish] = field(default_factory=Counter)
    refused: Counter[Wish] = field(default_factory=Counter)
    unheard: Counter[Wish] = field(default_factory=Counter)


class NotedTables:
    """Linked tables that note who was told what."""

    def __init__(self, tables: LinkedTables, verdicts: Verdicts) -> None:
        self._tables, self._verdicts = tables, verdicts
        self.read, self.scan = tables.read, tables.scan

    async def write_if(
        self,
        table: Table,
        key: Key,
        values: Mapping[str, Value],
        *,
        version: int,
        ttl_s: int | None = None,
    ) -> bool:
        row = tuple(values.get(name) for name in table.values)
        write = self._tables.write_if(table, key, values, version=version, ttl_s=ttl_s)
        return await self._noted((table.name, tuple(key), version + 1, row), write)

    async def delete_if(self, table: Table, key: Key, *, version: int) -> bool:
        nothing = (None,) * len(table.values)
        delete = self._tables.delete_if(table, key, version=version)
        return await self._noted((table.name, tuple(key), version + 1, nothing), delete)

    async def _noted(self, wish: Wish, write: Coroutine[Any, Any, bool]) -> bool:
        self._verdicts.unheard[wish] += 1
        wins = await write
        self._verdicts.unheard[wish] -= 1
        (self._verdicts.won if wins else self._verdicts.refused)[wish] += 1
        return wins


class Rival:
    """One process: its accounts and its refresh tokens."""

    def __init__(self, world: World, verdicts: Verdicts, name: str, ids: Callable[[], str]) -> None:
        self.process = Process(name)
        noted: Any = NotedTables(LinkedTables(world, self.process), verdicts)
        nobody_logs_in: Any = None
        self.accounts = Accounts(noted, nobody_logs_in, now_ms=world.now_ms, new_id=ids)
        self.families = RefreshFamilies(noted, new_secret=ids)


class Rivals:
    """What they do, at the same time, and whether it holds."""

    def __init__(self, world: World) -> None:
        self._world, self._dice = world, world.dice
        self._numbers = count(1)
        self._verdicts = Verdicts()
        self._rivals = [self._started() for _ in range(world.dice.choice(RIVALS))]
        self._created: dict[str, list[str]] = defaultdict(list)  # the accounts of a name
        self._marks: dict[str, list[str]] = defaultdict(list)  # what was added to an account
        self._tokens: list[str] = []
        self._grants: Counter[str] = Counter()
        self._ended: set[Session] = set()  # who was told so
        self._under_way: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Let them go at it, let everything come to rest, and look."""
        pace_s = self._dice.choice((0.01, 0.05, 0.5))
        for _ in range(self._dice.randint(10, 40)):
            await asyncio.sleep(self._dice.expovariate(1.0) * pace_s)
            if self._dice.random() < 0.1:
                self._strike(self._dice.choice(RARE))
            for _ in range(self._dice.choice((1, 1, 2, 3))):
                self._under_way.append(asyncio.create_task(self._do(self._dice.choice(DEEDS))))
        await self._rest()
        self._world.versioned.end_all()
        self._check_verdicts()
        await self._check_what_was_promised()

    # --- what they do ----------------------------------------------------------------------------

    async def _do(self, deed: str) -> None:
        rival, dice = self._dice.choice(self._rivals), self._dice
        listeners = [listener for each in self._created.values() for listener in each]
        if deed == "create":
            await self._create(rival, dice.choice(NAMES))
        elif deed == "change" and listeners:
            await self._change(rival, dice.choice(listeners))
        elif deed == "begin" and listeners:
            await self._begin(rival, dice.choice(listeners))
        elif deed == "use" and self._tokens:
            await self._use(rival, dice.choice(self._tokens[-2:]))
        elif deed == "end" and self._tokens and dice.random() < 0.2:
            await self._end(rival, dice.choice(self._tokens))

    async def _create(self, rival: Rival, name: str) -> None:
        call = rival.accounts.create(name, password=None, time_zone="UTC")
        if account := await self._answer(rival, call):
            self._created[name].append(account.listener_id)

    async def _change(self, rival: Rival, listener: str) -> None:
        mark = self._new_id()

        def change(now: Account) -> Account:
            return msgspec.structs.replace(now, known=(*now.known, mark))

        if await self._answer(rival, rival.accounts.update(listener, change)):
            self._marks[listener].append(mark)

    async def _begin(self, rival: Rival, listener: str) -> None:
        if token := await self._answer(rival, rival.families.begin(listener, ())):
            self._tokens.append(token)

    async def _use(self, rival: Rival, token: str) -> None:
        if grant := await self._answer(rival, self._used(rival, token)):
            self._grants[token] += 1
            self._tokens.append(grant.next_token)

    async def _used(self, rival: Rival, token: str) -> Grant:
        try:
            return await rival.families.use(token)
        except UsedAgain as again:
            self._ended.add(again.session)
            raise

    async def _end(self, rival: Rival, token: str) -> None:
        session = token_parts(token)[0]
        if await self._answer(rival, _true_after(rival.families.end(session))):
            self._ended.add(session)

    async def _answer(self, rival: Rival, call: Coroutine[Any, Any, Result]) -> Result | None:
        """Tell what it says to who asked; None if that is a refusal, or nothing."""
        asked = rival.process.run(call)
        await asyncio.wait([asked])
        if asked.cancelled():
            return None
        error = asked.exception()
        if error is None:
            return asked.result()
        if not isinstance(error, (Refused, Unavailable, Contended, NoAccount)):
            self._world.unexpected.append(error)
        return None

    def _strike(self, fault: Fault) -> None:
        place = self._dice.randrange(len(self._rivals))
        if fault is Fault.STORE_AWAY:
            until = asyncio.get_running_loop().time() + self._dice.choice(AWAY_S)
            self._world.store_backend.away_until = until
            return
        self._world.happened(fault)
        if fault is Fault.RIVAL_CRASH:
            self._rivals[place].process.kill()
            self._rivals[place] = self._started()
        else:
            self._rivals[place].process.pause(self._dice.choice(STALLS_S))

    def _new_id(self) -> str:
        return f"id{next(self._numbers)}"

    def _started(self) -> Rival:
        return Rival(self._world, self._verdicts, f"rival.{next(self._numbers)}", self._new_id)

    async def _rest(self) -> None:
        self._world.calm = True
        self._world.store_backend.away_until = 0.0
        try:
            async with asyncio.timeout(LIMIT_S):
                while self._under_way:
                    await self._under_way.pop()
        except TimeoutError:
            raise Wrong(f"rivals without an answer after {LIMIT_S:.0f} s") from None
        await asyncio.sleep(QUEUED_S)  # what is still on its way arrives

    # --- whether it holds ------------------------------------------------------------------------

    def _check_verdicts(self) -> None:
        """See that each who was told to have written or deleted has, once, and nobody who was refused."""
        verdicts, done = self._verdicts, Counter[Wish]()
        for change in self._world.versioned.changes:
            values, version = change.row[: -len(VERSION)], change.row[-len(VERSION)]
            done[change.table, change.key, version, values] += 1
        for wish in done | verdicts.won:
            won, times = verdicts.won[wish], done[wish]
            most = won + verdicts.unheard[wish]
            if not won <= times <= most:
                raise Wrong(
                    f"written {times} times: {wish}; of those who wanted it {won} were told that they"
                    f" won, {verdicts.refused[wish]} that they did not"
                )

    async def _check_what_was_promised(self) -> None:
        judge = self._started()
        for name, listeners in sorted(self._created.items()):
            found = await judge.accounts.by_name(name)
            if len(listeners) > 1 or found is None or found.listener_id != listeners[0]:
                raise Wrong(f"{name} was given to {listeners}, and leads to {found}")
        for listener, marks in sorted(self._marks.items()):
            account = await judge.accounts.by_id(listener)
            known = Counter(account.known if account else ())
            if any(known[mark] != 1 for mark in marks) or max(known.values()) > 1:
                raise Wrong(f"{listener} was given each of {marks} once, and has {dict(known)}")
        if twice := [token for token, times in self._grants.items() if times > 1]:
            raise Wrong(f"used more than once: {twice}")
        for session in sorted(self._ended):
            if await judge.families.has(session):
                raise Wrong(f"{session} has ended, and is there")


async def _true_after(call: Coroutine[Any, Any, None]) -> bool:
    await call
    return True
