"""The composition root: settings become ports, ports become repositories, those become applications.

Every process of Heartline (a command, a replica, a shard, the tailer) builds what it needs here.
"""

import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

from domain.errors import NewerSchema, Unavailable
from domain.hashing import partition_of
from domain.ids import base62
from domain.payloads import encode_erase
from domain.ports import DeadLetters, Log, Tables
from domain.positions import Generation
from heartline.addresses import KafkaAddress, ScyllaAddress
from heartline.keys import signing_key
from heartline.settings import DAY_S, Settings, variable
from heartline.terminal import fail
from serve.tokens import Tokens
from stores.accounts import Accounts
from stores.listening import Listening
from stores.passwords import Passwords
from stores.tables import LISTENING_WEEKS, PLAYS

STORE_FILE, LOG_FILE, CATALOGUE_FILE = "store.db", "log.db", "catalogue.db"
RETRY_S = 1.0

R = TypeVar("R")

logger = logging.getLogger(__name__)


def now_ms() -> int:
    """Tell the time, in ms since the epoch."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """Make an id that nobody has."""
    return base62(os.urandom(16))


def new_secret() -> str:
    """Make what nobody can guess."""
    return secrets.token_urlsafe(32)


def release() -> str:
    """Tell the version of Heartline that runs."""
    try:
        return version("heartline")
    except PackageNotFoundError:
        return "0"


def settings(data: Path) -> Settings:
    """Read the settings of a command that works on *data*."""
    return Settings.from_environ(os.environ, {"data": data})


def open_tables(settings: Settings) -> Tables:
    """Open the wide-column tables: on a cluster, or in the data directory, where they are made.

    Raises
    ------
    NoSchema
        The cluster has no tables of ours, or older ones.
    """
    if address := ScyllaAddress.parse(settings.store):
        from stores.cql_tables import CqlTables

        # What it complains of while a node is away is what we raise, and log.
        logging.getLogger("cassandra").setLevel(logging.CRITICAL)
        return CqlTables.open(address.hosts, address.port, keyspace=address.keyspace, now_ms=now_ms)
    from stores.sqlite_tables import SqliteTables

    return SqliteTables.open(settings.data / STORE_FILE, now_ms=now_ms)


def open_log(settings: Settings) -> Log:
    """Open the log, in the data directory or on Kafka, and make it if it is not there."""
    if address := KafkaAddress.parse(settings.log):
        from stores.kafka_log import TOPIC, KafkaLog

        # What it complains of many times a second while a broker is away is what we raise, and log.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        return KafkaLog(
            address.servers,
            topic=address.topic or TOPIC,
            partitions=settings.partitions,
            now_ms=now_ms,
        )
    from stores.sqlite_log import SqliteLog

    return SqliteLog.open(settings.data / LOG_FILE, now_ms=now_ms, partitions=settings.partitions)


def open_dead_letters(settings: Settings) -> DeadLetters | None:
    """Open where records go that do not decode; a log in the data directory has no such place."""
    if address := KafkaAddress.parse(settings.log):
        from stores.kafka_left_out import KafkaLeftOut
        from stores.kafka_log import TOPIC

        return KafkaLeftOut(address.servers, address.topic or TOPIC)
    return None


@asynccontextmanager
async def dead_letters_of(settings: Settings) -> AsyncIterator[DeadLetters | None]:
    """Have them for a while."""
    letters = open_dead_letters(settings)
    try:
        yield letters
    finally:
        if letters:
            await letters.close()


def note_start(settings: Settings) -> None:
    """Mark logs in the data directory, so that each is known beside a ``-wal`` of another start."""
    from stores.wal_pairs import renew_pair

    if not settings.log:
        for name in (LOG_FILE, CATALOGUE_FILE):
            renew_pair(settings.data / name, secrets.randbits(62))


def has_log(settings: Settings) -> bool:
    """Whether there may be something in the log."""
    return bool(settings.log) or (settings.data / LOG_FILE).exists()


def opened(settings: Settings) -> tuple[Tables, Log]:
    """Open both for a part of a running `up`, as `insistently` does."""
    return insistently(lambda: (open_tables(settings), open_log(settings)))


def insistently(open_all: Callable[[], R]) -> R:
    """Open something for a part of a running `up`, trying again while that cannot be.

    An actor that fails to begin is not begun again by Ray, and whatever is wrong now (a lock, a
    disk, a mount) may pass.
    """
    while True:
        try:
            return open_all()
        except NewerSchema:
            raise
        except Unavailable as error:
            logger.warning("not begun yet: %s", error)
            time.sleep(RETRY_S)


@asynccontextmanager
async def store(settings: Settings, *, make: bool = False) -> AsyncIterator[Tables]:
    """Have the tables for a while; *make* the data directory if it is not there.

    Raises
    ------
    Failure
        It is not there, or cannot be made.
    """
    if make:
        _make(settings.data)
    elif not settings.store and not (settings.data / STORE_FILE).exists():
        fail(
            f"{settings.data} holds no store: start `heartline up` there, name another directory"
            f" with --data, or the cluster that it runs on with {variable('store')}"
        )
    tables = open_tables(settings)
    try:
        yield tables
    finally:
        await tables.close()


@asynccontextmanager
async def log_of(settings: Settings, *, make: bool = False) -> AsyncIterator[Log]:
    """Have the log for a while; *make* it if it is not there.

    Raises
    ------
    Failure
        It is not there.
    """
    if not make and not has_log(settings):
        fail(
            f"{settings.data} holds no log: start `heartline up` there, name another directory with"
            f" --data, or the log that it runs on with {variable('log')}"
        )
    log = open_log(settings)
    try:
        yield log
    finally:
        await log.close()


def _make(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        fail(f"cannot make {data}: {error.strerror}; choose another directory with --data")


def ttls_s(settings: Settings) -> dict[str, int | None]:
    """Tell how long rows of listeners live, by table; None: for ever."""
    kept_s = settings.plays_kept_days * DAY_S or None
    return {LISTENING_WEEKS.name: settings.week_ttl_s, PLAYS.name: kept_s}


def listening(tables: Tables, settings: Settings) -> Listening:
    """Make the repository of what listeners listened to."""
    kept_s = ttls_s(settings)[PLAYS.name]
    return Listening(tables, week_ttl_s=settings.week_ttl_s, plays_ttl_s=kept_s)


def accounts(tables: Tables) -> Accounts:
    """Make the repository of accounts."""
    return Accounts(tables, Passwords(), now_ms=now_ms, new_id=new_id)


def tokens(data: Path, secrets: str = "") -> Tokens:
    """Make what signs and reads the access tokens of a data directory."""
    return Tokens(signing_key(data, secrets), now_ms=now_ms)


def eraser(log: Log, rows: Listening, generation: Generation) -> Callable[[str], Awaitable[None]]:
    """Make what erases a listener, from the log's consumers as from the store."""

    async def erase(listener_id: str) -> None:
        # First the record: whatever is written after it by a shard that still holds the listener
        # is followed by the shard's own erasure.
        partition = partition_of(listener_id, generation.partitions)
        await log.append([(partition, encode_erase(listener_id))])
        await rows.erase(listener_id)

    return erase
