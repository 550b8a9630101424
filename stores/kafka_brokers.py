"""Requests of Kafka's protocol, each sent to the broker that can answer it, until it does.

The clients of `aiokafka` read as members of a group, ahead and in the background. The log reads what it
is asked for, from any offset, and knows when it is at the end; so it asks the brokers itself. What goes
over the wire is aiokafka's.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    KafkaError,
    LeaderNotAvailableError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
    for_code,
)
from aiokafka.protocol.admin import (
    CreateTopicsRequest,
    DeleteRecordsRequest,
    DescribeConfigsRequest,
    ListGroupsRequest,
)
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from domain.errors import Unavailable
from domain.ports import Record

EARLIEST, LATEST = -2, -1  # in place of a time, in questions for offsets
NO_REPLICA = NO_MEMBER = -1
NO_PLACES: list[object] = []  # the brokers choose who leads what
TOPIC_RESOURCE = 2
DEFAULT_COPIES = -1  # as the brokers are set: default.replication.factor
MOST_FETCHED_BYTES = 1 << 30
AGAIN_S = 0.1

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Fetched:
    """Records of a partition as they were read, and where it ended at that time."""

    records: Sequence[Record]
    end: int


class Brokers:
    """The brokers of one cluster.

    :raises Unavailable: from every method, when there is no answer for *patience_s*.
    """

    def __init__(self, servers: str, *, patience_s: float) -> None:
        self._servers, self._patience_s = servers, patience_s
        self._client: AIOKafkaClient | None = None
        self._connecting = asyncio.Lock()

    async def topics(self) -> dict[str, int]:
        """Tell the number of partitions of every topic."""

        async def ask(client: AIOKafkaClient) -> dict[str, int]:
            cluster = await client.fetch_all_metadata()
            return {topic: len(cluster.partitions_for_topic(topic)) for topic in cluster.topics()}

        return await self._answer(ask)

    async def create_topic(self, topic: str, partitions: int, settings: Mapping[str, str]) -> bool:
        """Make a topic, with as many copies as the brokers give one; False if it is there."""
        wanted = [(topic, partitions, DEFAULT_COPIES, NO_PLACES, list(settings.items()))]
        request = CreateTopicsRequest(wanted, int(self._patience_s * 1_000), validate_only=False)

        async def ask(client: AIOKafkaClient) -> bool:
            response = await client.send(client.get_random_node(), request)
            ((_, code, *_),) = response.topic_errors
            if for_code(code) is TopicAlreadyExistsError:
                return False
            _check(code)
            return True

        async def see(client: AIOKafkaClient) -> None:
            cluster = await client.fetch_all_metadata()
            if not cluster.partitions_for_topic(topic):
                raise LeaderNotAvailableError(topic)

        made = await self._answer(ask)
        await self._answer(see)
        return made

    async def settings(self, topic: str) -> dict[str, str]:
        """Tell how a topic is set."""
        request = DescribeConfigsRequest([(TOPIC_RESOURCE, topic, None)], include_synonyms=False)

        async def ask(client: AIOKafkaClient) -> dict[str, str]:
            response = await client.send(client.get_random_node(), request)
            ((code, _, _, _, settings),) = response.resources
            _check(code)
            return {name: value for name, value, *_ in settings}

        return await self._answer(ask)

    async def fetch(self, topic: str, partition: int, offset: int, most_bytes: int) -> Fetched:
        """Read records from *offset* on: the whole batch that it is in, further ones up to *most_bytes*.

        Nothing where nobody has written yet; from the oldest record on where the wanted one is gone.
        """
        size = min(max(most_bytes, 1), MOST_FETCHED_BYTES)

        async def ask(client: AIOKafkaClient) -> Fetched:
            leader = _leader(client, topic, partition)
            wanted = [(topic, [(partition, offset, size)])]
            response = await client.send(leader, FetchRequest(0, 0, size, 0, wanted))
            ((_, ((_, code, end, *_, packed),)),) = response.topics
            _check(code)
            return Fetched([each for each in _records(packed) if each.offset >= offset], end)

        try:
            return await self._answer(ask)
        except OffsetOutOfRangeError:
            first = (await self.offsets(topic, {partition: EARLIEST}))[partition]
            if offset < first:
                return await self.fetch(topic, partition, first, most_bytes)
            return Fetched([], first)

    async def offsets(self, topic: str, times_ms: Mapping[int, int]) -> dict[int, int]:
        """Tell the first offset of each partition from a time on, -1 where there is none.

        A time may be EARLIEST (the oldest record kept) or LATEST (the next one to come).
        """

        def request(wanted: list[tuple[int, int]]) -> OffsetRequest:
            return OffsetRequest(NO_REPLICA, 0, [(topic, wanted)])

        answers = await self._by_leader(topic, times_ms, request)
        return {partition: offset for partition, _time_ms, offset in answers}

    async def delete_before(self, topic: str, offsets: Mapping[int, int]) -> None:
        """Delete the records of each partition before an offset."""

        def request(wanted: list[tuple[int, int]]) -> DeleteRecordsRequest:
            return DeleteRecordsRequest([(topic, wanted)], int(self._patience_s * 1_000))

        await self._by_leader(topic, offsets, request, code_last=True)

    async def commit(
        self, group: str, topic: str, offsets: Mapping[int, int], *, note: str = ""
    ) -> None:
        """Note the next offsets that a group without members wants, and a word with each."""
        wanted = [(partition, offset, note) for partition, offset in offsets.items()]
        request = OffsetCommitRequest(group, NO_MEMBER, "", -1, [(topic, wanted)])

        async def ask(client: AIOKafkaClient) -> None:
            coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
            response = await client.send(coordinator, request)
            _check(*(code for _, partitions in response.topics for _, code in partitions))

        if wanted:
            await self._answer(ask)

    async def committed(self, group: str) -> dict[tuple[str, int], tuple[int, str]]:
        """Tell what a group has committed: the offset and the note of each topic and partition."""

        async def ask(client: AIOKafkaClient) -> dict[tuple[str, int], tuple[int, str]]:
            coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
            response = await client.send(coordinator, OffsetFetchRequest(group, None))
            parts = [(topic, *each) for topic, those in response.topics for each in those]
            _check(response.error_code, *(code for *_, code in parts))
            return {(topic, part): (offset, note) for topic, part, offset, note, _ in parts}

        return await self._answer(ask)

    async def groups(self) -> list[str]:
        """Tell every group that has committed something."""

        async def ask(client: AIOKafkaClient) -> list[str]:
            found = set[str]()
            for broker in client.cluster.brokers():
                response = await client.send(broker.nodeId, ListGroupsRequest())
                _check(response.error_code)
                found |= {group for group, *_ in response.groups}
            return sorted(found)

        return await self._answer(ask)

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _by_leader(
        self,
        topic: str,
        wanted: Mapping[int, int],
        request: Callable[[list[tuple[int, int]]], Any],
        *,
        code_last: bool = False,
    ) -> list[tuple[int, ...]]:
        """Ask each partition's leader about it, all partitions of one leader at once."""

        async def ask(client: AIOKafkaClient) -> list[tuple[int, ...]]:
            by_leader = defaultdict(list)
            for partition, value in wanted.items():
                by_leader[_leader(client, topic, partition)].append((partition, value))
            found: list[tuple[int, ...]] = []
            for leader, values in by_leader.items():
                response = await client.send(leader, request(values))
                for part, *rest in _partitions(response):
                    _check(rest.pop(1 if code_last else 0))
                    found.append((part, *rest))
            return found

        return await self._answer(ask)

    async def _answer(self, ask: Callable[[AIOKafkaClient], Awaitable[Answer]]) -> Answer:
        problem: object = "no answer"
        try:
            async with asyncio.timeout(self._patience_s):
                while True:
                    try:
                        return await ask(await self._connected())
                    except OffsetOutOfRangeError:
                        raise
                    except KafkaError as error:
                        if not error.retriable:
                            raise Unavailable(f"Kafka refuses: {error!r}") from error
                        problem = error
                    await self._look_again()
        except TimeoutError:
            raise Unavailable(f"Kafka at {self._servers} does not answer: {problem!r}") from None

    async def _connected(self) -> AIOKafkaClient:
        async with self._connecting:
            if self._client is None:
                client = AIOKafkaClient(
                    bootstrap_servers=self._servers,
                    client_id="heartline",
                    request_timeout_ms=int(self._patience_s * 1_000),
                )
                await client.bootstrap()
                self._client = client
            return self._client

    async def _look_again(self) -> None:
        """Ask which broker leads what now: a leader may have moved, a topic may be new."""
        await asyncio.sleep(AGAIN_S)
        if self._client is not None:
            await self._client.force_metadata_update()


def _leader(client: AIOKafkaClient, topic: str, partition: int) -> int:
    leader: int | None = client.cluster.leader_for_partition(TopicPartition(topic, partition))
    if leader is None or leader < 0:
        raise LeaderNotAvailableError(f"{topic}, partition {partition}")
    return leader


def _check(*codes: int) -> None:
    for code in codes:
        if code:
            raise for_code(code)


def _partitions(response: Any) -> Iterable[list[Any]]:
    # Newer versions of an answer end in tagged fields, which nobody uses yet.
    for _topic, partitions, *_ in response.topics:
        for partition in partitions:
            yield [each for each in partition if not isinstance(each, dict)]


def _records(packed: bytes) -> Iterable[Record]:
    batches = MemoryRecords(packed)
    while batches.has_next():
        for record in batches.next_batch():
            yield Record(record.offset, record.timestamp, record.value or b"")
