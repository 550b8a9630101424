"""Answers that are lost on the way: whoever wrote must know all the same."""

from collections.abc import Awaitable, Callable, Iterator
from random import Random

import pytest
from cassandra.query import Statement

from domain.errors import Unavailable
from stores.cql_bridge import Enough, Rows
from stores.cql_conditions import Conditions
from stores.cql_session import CqlSession, connected, everything, new_cluster
from stores.table_cql import TableCql
from stores.tables import ACCOUNT_NAMES
from tests.clock import Clock
from tests.servers.fixtures import Servers
from tests.stores.keyspaces import Keyspace, new_keyspace

pytestmark = pytest.mark.servers
NAMES = TableCql(ACCOUNT_NAMES)


class Forgetful(CqlSession):
    """A session that loses the question, or the answer, of every conditional write but some."""

    asks: list[str]
    meanwhile: Callable[[], Awaitable[object]] | None = None  # what others do before it looks
    late: Statement | None = None
    kept: Statement | None = None  # until the test lets it arrive

    async def ask(self, statement: Statement, enough: Enough = everything) -> Rows:
        if meanwhile := self.meanwhile:
            self.meanwhile = None
            await meanwhile()
        return await super().ask(statement, enough)

    async def ask_once(self, statement: Statement) -> Rows:
        fate = self.asks.pop(0) if self.asks else "heard"
        if fate == "question late":
            self.late = statement
        if fate == "question kept":
            self.kept = statement
        if fate in {"question lost", "question late", "question kept"}:
            raise Unavailable("lost")
        if self.late:
            late, self.late = self.late, None
            await super().ask_once(late)
        rows = await super().ask_once(statement)
        if fate == "answer lost":
            raise Unavailable("lost")
        return rows


@pytest.fixture(scope="module")
def keyspace(servers: Servers) -> Iterator[Keyspace]:
    with new_keyspace(servers, [ACCOUNT_NAMES]) as made:
        yield made


@pytest.fixture
async def session(keyspace: Keyspace) -> Forgetful:
    keyspace.empty()
    cluster = new_cluster(keyspace.address.hosts, keyspace.address.port)
    made = Forgetful(connected(cluster, keyspace.name), jitter=Random(1), patience_s=5.0)
    made.asks = []
    return made


@pytest.fixture
def conditions(session: Forgetful) -> Conditions:
    return Conditions(session, Clock(), lambda ttl_s: ttl_s or 0, Random(2))


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(["question lost"], id="the-question"),
        pytest.param(["answer lost"], id="the-answer"),
        pytest.param(["question lost", "answer lost"], id="one-after-the-other"),
    ],
)
async def test_a_write_is_done_once_and_its_writer_knows(
    session: Forgetful, conditions: Conditions, lost: list[str]
) -> None:
    session.asks = lost
    assert await conditions.write(NAMES, ("ann",), ["1"], 0, None)
    assert not await conditions.write(NAMES, ("ann",), ["2"], 0, None)
    session.asks = lost[-1:]
    assert await conditions.write(NAMES, ("ann",), ["3"], 1, None)
    await session.close()


async def test_the_loser_of_a_race_whose_answer_is_lost_knows_that_it_lost(
    session: Forgetful, conditions: Conditions
) -> None:
    assert await conditions.write(NAMES, ("ann",), ["winner"], 0, None)
    session.asks = ["answer lost", "answer lost"]

    assert not await conditions.write(NAMES, ("ann",), ["loser"], 0, None)
    await session.close()


async def test_who_was_written_over_before_it_could_look_is_not_refused(
    session: Forgetful, conditions: Conditions
) -> None:
    assert await conditions.write(NAMES, ("ann",), ["1"], 0, None)
    session.asks = ["answer lost"]
    session.meanwhile = lambda: conditions.write(NAMES, ("ann",), ["3"], 2, None)

    with pytest.raises(Unavailable, match="not known"):
        await conditions.write(NAMES, ("ann",), ["2"], 1, None)
    assert await conditions.write(NAMES, ("ann",), ["4"], 3, None)
    await session.close()


async def test_a_question_that_comes_late_was_the_writers_own(
    session: Forgetful, conditions: Conditions
) -> None:
    assert await conditions.write(NAMES, ("ann",), ["1"], 0, None)
    session.asks = ["question late"]

    assert await conditions.write(NAMES, ("ann",), ["2"], 1, None)
    assert not await conditions.write(NAMES, ("ann",), ["3"], 1, None)
    await session.close()


async def test_a_deletion_that_comes_late_was_one(
    session: Forgetful, conditions: Conditions
) -> None:
    assert await conditions.write(NAMES, ("ann",), ["1"], 0, None)
    session.asks = ["question late"]

    assert await conditions.delete(NAMES, ("ann",), 1)
    await session.close()


async def test_a_deletion_whose_answer_is_lost_was_one(
    session: Forgetful, conditions: Conditions
) -> None:
    assert await conditions.write(NAMES, ("ann",), ["1"], 0, None)
    session.asks = ["answer lost"]

    assert await conditions.delete(NAMES, ("ann",), 1)
    assert await conditions.write(NAMES, ("ann",), ["2"], 0, None)
    await session.close()


@pytest.mark.parametrize(
    ("before", "asks"),
    [
        pytest.param(0, ["question kept"], id="over-none"),
        pytest.param(1, ["heard", "question kept"], id="over-what-is-gone"),
    ],
)
async def test_a_write_over_none_that_comes_after_a_deletion_brings_nothing_back(
    session: Forgetful, conditions: Conditions, before: int, asks: list[str]
) -> None:
    for _ in range(before):
        assert await conditions.write(NAMES, ("ann",), ["0"], 0, None)
        assert await conditions.delete(NAMES, ("ann",), 1)
    session.asks = asks
    assert await conditions.write(NAMES, ("ann",), ["1"], 0, None)
    assert await conditions.delete(NAMES, ("ann",), 1)

    assert session.kept
    await session.ask_once(session.kept)

    assert not await conditions.delete(NAMES, ("ann",), 1)
    assert await conditions.write(NAMES, ("ann",), ["2"], 0, None)
    await session.close()


async def test_what_was_deleted_before_its_writer_could_look_is_not_written_again(
    session: Forgetful, conditions: Conditions
) -> None:
    session.asks = ["answer lost"]
    session.meanwhile = lambda: conditions.delete(NAMES, ("ann",), 1)

    with pytest.raises(Unavailable, match="not known"):
        await conditions.write(NAMES, ("ann",), ["1"], 0, None)
    assert not await conditions.delete(NAMES, ("ann",), 1)
    await session.close()


async def test_of_two_who_delete_one_hears_that_it_did(
    session: Forgetful, conditions: Conditions
) -> None:
    assert await conditions.write(NAMES, ("ann",), ["1"], 0, None)
    session.asks = ["question lost"]
    session.meanwhile = lambda: conditions.delete(NAMES, ("ann",), 1)

    assert not await conditions.delete(NAMES, ("ann",), 1)
    await session.close()


async def test_who_never_hears_anything_says_so(session: Forgetful, conditions: Conditions) -> None:
    session.asks = ["question lost"] * 10

    with pytest.raises(Unavailable, match="account_names"):
        await conditions.write(NAMES, ("ann",), ["1"], 0, None)
    await session.close()
