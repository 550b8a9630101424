"""The settings: one frozen whole, read from a mapping, refused with every problem named."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from domain.errors import InvalidWeights, Refused
from domain.positions import MOST_PARTITIONS
from heartline.addresses import (
    KAFKA_WANTS,
    OPENSEARCH_WANTS,
    REDIS_WANTS,
    S3_WANTS,
    SCYLLA_WANTS,
    KafkaAddress,
    OpenSearchAddress,
    RedisAddress,
    S3Address,
    ScyllaAddress,
    without_password,
)

PREFIX = "HEARTLINE_"
OURS = frozenset(  # what `up` hands to its own processes; nobody sets it
    {"HEARTLINE_START", "HEARTLINE_NURSERY", "HEARTLINE_RAY_WORKER"}
)
YES, NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
WEIGHTS_WANT = "popularity=0.5,recency=0.05,taste=0.2, or some of them, each from 0 to 10"


def _weights(text: str) -> object:
    from domain.ranking import weights_of  # it needs more than a command that does not search

    try:
        return weights_of(text)
    except InvalidWeights:
        return None


ADDRESSES: Mapping[str, tuple[Callable[[str], object], str]] = MappingProxyType(
    {
        "log": (KafkaAddress.parse, KAFKA_WANTS),
        "store": (ScyllaAddress.parse, SCYLLA_WANTS),
        "objects": (S3Address.parse, S3_WANTS),
        "presence": (RedisAddress.parse, REDIS_WANTS),
        "search": (OpenSearchAddress.parse, OPENSEARCH_WANTS),
        "search_weights": (_weights, WEIGHTS_WANT),
        "secrets": (os.path.isabs, "the absolute path of a directory"),
    }
)
WEEK_TTL_SLACK_DAYS = 21  # a week row outlives the late limit by two weeks and the week itself
LEAST_WEEK_TTL_DAYS = 90
DAY_S = 86_400
LOG_FORMATS = ("text", "json")
KAFKA_PARTITIONS = 64  # so many consumers there can be; another number is another generation


class BadSettings(Refused):
    """Raised when settings cannot work together or at all; *problems* has a sentence on each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)


def _number(help_text: str, least: int, most: int) -> dict[str, Any]:
    return {"help": help_text, "least": least, "most": most}


@dataclass(frozen=True, slots=True)
class Settings:
    """What one Heartline runs with; every field but `data` has a default that works."""

    data: Path
    host: str = field(default="127.0.0.1", metadata={"help": "the address to listen on"})
    port: int = field(default=8000, metadata=_number("the port to listen on", 1, 65_535))
    log: str = field(
        default="", metadata={"help": f"{KAFKA_WANTS}; else the log is in the data directory"}
    )
    store: str = field(
        default="", metadata={"help": f"{SCYLLA_WANTS}; else rows are in the data directory"}
    )
    objects: str = field(
        default="",
        metadata={"help": f"{S3_WANTS} for the warehouse; else it is in the data directory"},
    )
    archive: bool = field(
        default=True, metadata={"help": "carry every heartbeat to the warehouse: yes or no"}
    )
    presence: str = field(
        default="",
        repr=False,  # it may hold a password
        metadata={"help": f"{REDIS_WANTS}; else the shards themselves are asked for presence"},
    )
    search: str = field(
        default="",
        repr=False,  # it may hold a password
        metadata={"help": f"{OPENSEARCH_WANTS}; else the index is in the data directory"},
    )
    search_weights: str = field(
        default="",
        metadata={"help": f"by what hits are ordered beside their words: {WEIGHTS_WANT}"},
    )
    secrets: str = field(
        default="", metadata={"help": "a directory with the signing key, which is only read"}
    )
    shards: int = field(default=2, metadata=_number("actors that hold listeners", 1, 256))
    consumers: int = field(default=1, metadata=_number("actors that read a log on Kafka", 1, 256))
    partitions: int = field(
        default=8,
        metadata=_number(
            f"partitions of the log; {KAFKA_PARTITIONS} on Kafka", 1, MOST_PARTITIONS - 1
        ),
    )
    gatherers: int = field(
        default=1,
        metadata=_number("gatherers of other producers' heartbeats, on Kafka; 0: none", 0, 256),
    )
    commit_window_ms: int = field(
        default=30_000, metadata=_number("ms between two commits of a shard", 100, 300_000)
    )
    late_limit_days: int = field(
        default=30, metadata=_number("heartbeats older than this are refused", 1, 3_650)
    )
    stale_limit_ms: int = field(
        default=300_000,
        metadata=_number("ms by which readers may be behind before it is an alarm", 1, 86_400_000),
    )
    log_retention_days: int = field(
        default=90, metadata=_number("days that the log is kept", 1, 36_500)
    )
    log_retention_bytes: int = field(
        default=20_000_000_000,
        metadata=_number("bytes of the log that are kept", 1_000_000, 1 << 60),
    )
    plays_kept_days: int = field(
        default=0, metadata=_number("days of listening history kept, 0: for ever", 0, 36_500)
    )
    log_format: str = field(
        default="text", metadata={"help": "form of log lines: text, or json for machines"}
    )
    new_generation: bool = field(
        default=False,
        metadata={"help": "begin a new generation of a log that ends before what was committed"},
    )

    @classmethod
    def from_environ(
        cls, environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None
    ) -> "Settings":
        """Read ``HEARTLINE_...``; *overrides* (flags, by field name; None: not given) come first.

        Raises
        ------
        BadSettings
            With every problem, not only the first.
        """
        given = {key: value for key, value in (overrides or {}).items() if value is not None}
        problems: list[str] = []
        values: dict[str, Any] = {}
        for each in fields(cls):
            raw = given.get(each.name, environ.get(PREFIX + each.name.upper(), ""))
            if raw == "" and each.name != "data":
                continue
            value, problem = _parse(each.name, raw, each.metadata)
            values[each.name] = value
            problems.extend([problem] if problem else [])
        if not problems:
            if values.get("log"):
                values.setdefault("partitions", KAFKA_PARTITIONS)
            settings = cls(**values)
            problems.extend(_contradictions(settings))
            if not problems:
                return settings
        raise BadSettings(tuple(problems))

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> "Settings":
        """Take what `plain` gave."""
        return cls(**{**plain, "data": Path(plain["data"])})

    def plain(self) -> dict[str, Any]:
        """Tell the settings in what JSON can say."""
        return {**asdict(self), "data": str(self.data)}

    @property
    def week_ttl_s(self) -> int:
        """How long a week row lives after it was last written, in seconds."""
        return DAY_S * max(LEAST_WEEK_TTL_DAYS, self.late_limit_days + WEEK_TTL_SLACK_DAYS)

    @property
    def url(self) -> str:
        """Where a client on this machine reaches us."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def variable(name: str) -> str:
    """Name the environment variable of a field."""
    return PREFIX + name.upper()


def unknown(environ: Iterable[str]) -> list[str]:
    """Name the variables that look like ours and mean nothing: a typing error, most likely."""
    known = {variable(each.name) for each in fields(Settings)} | OURS
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _parse(name: str, raw: Any, wants: Mapping[str, Any]) -> tuple[Any, str | None]:
    if name == "data":
        return Path(raw or "data").absolute(), None
    if name == "host":
        return str(raw), None if _is_address(str(raw)) else (
            f"{variable(name)}: wants an IP address or localhost, not {str(raw)[:60]!r}"
        )
    if name in ADDRESSES:
        parse, shape = ADDRESSES[name]
        return str(raw), None if parse(str(raw)) else (
            f"{variable(name)}: wants {shape}, not {without_password(str(raw))[:80]!r}"
        )
    if name == "log_format":
        form = str(raw).strip().lower()
        return form, None if form in LOG_FORMATS else (
            f"{variable(name)}: wants {' or '.join(LOG_FORMATS)}, not {str(raw)[:40]!r}"
        )
    if name in {"new_generation", "archive"}:
        said = str(raw).strip().lower()
        return said in YES, None if said in YES | NO else (
            f"{variable(name)}: wants yes or no, not {said[:40]!r}"
        )
    return _parse_number(name, raw, wants)


def _parse_number(name: str, raw: Any, wants: Mapping[str, Any]) -> tuple[int, str | None]:
    least, most = wants["least"], wants["most"]
    text = str(raw).strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if least <= number <= most:
        return number, None
    return 0, f"{variable(name)}: wants a whole number from {least} to {most}, not {text[:40]!r}"


def _is_address(host: str) -> bool:
    from ipaddress import ip_address

    if host == "localhost":
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _contradictions(settings: Settings) -> Iterable[str]:
    if settings.plays_kept_days and settings.plays_kept_days < settings.late_limit_days:
        yield (
            f"{variable('plays_kept_days')}: must be 0 or at least {variable('late_limit_days')} "
            f"({settings.late_limit_days}), or late heartbeats would bring back plays that went"
        )
    if settings.stale_limit_ms < settings.commit_window_ms:
        yield (
            f"{variable('stale_limit_ms')}: must be at least {variable('commit_window_ms')} "
            f"({settings.commit_window_ms}), or it would always be an alarm"
        )
    if settings.log_retention_days * DAY_S * 1000 <= settings.commit_window_ms:
        yield f"{variable('log_retention_days')}: must outlast a commit window"
