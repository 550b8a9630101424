"""Where servers are, as settings name them."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

KAFKA_WANTS = "kafka://host:port[,host:port ...][/topic]"
S3_WANTS = "s3://bucket[/folder][?endpoint=http://host:port][&region=R]"
REDIS_WANTS = "redis://[[user]:password@]host:port[/database], or rediss://..."
SCYLLA_WANTS = "scylla://host[:port][,host[:port] ...][/keyspace]"
OPENSEARCH_WANTS = (
    "opensearch://[user:password@]host[:port][,host[:port] ...][/name][?shards=N][&replicas=N], "
    "or opensearchs://..."
)
LARGEST_PORT = 65_535
CQL_PORT = 9042
KEYSPACE = "heartline"
OPENSEARCH_PORT = 9200
INDEX = "heartline"

_HOST = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
_SERVER = re.compile(rf"{_HOST}:(\d{{1,5}})")
_NODE = re.compile(rf"{_HOST}(?::(\d{{1,5}}))?")
_REDIS = re.compile(
    r"rediss?://(?:[^\s:@/?#]*:[^\s:@/?#]+@)?"
    r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})(?:/\d{0,4})?"
)
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,200}")
_S3 = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<folder>(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?)"
)
_S3_OPTIONS = {
    "endpoint": re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?/?"),
    "region": re.compile(r"[a-z0-9-]{1,40}"),
}
_OPENSEARCH = re.compile(
    r"(?P<scheme>opensearchs?)://(?:(?P<user>[^\s:@/?#]+):(?P<password>[^\s:@/?#]+)@)?"
    r"(?P<nodes>[^\s@/?#]+)(?:/(?P<index>[a-z][a-z0-9_-]{0,99})?)?"
)
_COUNT = re.compile(r"[0-9]{1,3}")
_KEYSPACE = re.compile(r"[a-z][a-z0-9_]{0,47}")


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """A Kafka cluster by some of its brokers, and the topic of the log there; "" is the usual one."""

    servers: str
    topic: str = ""

    @classmethod
    def parse(cls, url: str) -> "KafkaAddress | None":
        """Read an address; None if it is none."""
        scheme, _, rest = url.partition("://")
        servers, slash, topic = rest.partition("/")
        ports = [_SERVER.fullmatch(server) for server in servers.split(",")]
        if scheme != "kafka" or not all(
            port and 0 < int(port[2]) <= LARGEST_PORT for port in ports
        ):
            return None
        if (slash and topic and not _TOPIC.fullmatch(topic)) or topic in {".", ".."}:
            return None
        return cls(servers, topic)


@dataclass(frozen=True, slots=True)
class S3Address:
    """A folder of a bucket of S3, or of what speaks like it at *endpoint*; "" is Amazon's own."""

    bucket: str
    folder: str = ""
    endpoint: str = ""
    region: str = ""

    @classmethod
    def parse(cls, url: str) -> "S3Address | None":
        """Read an address; None if it is none."""
        place, asks, query = url.partition("?")
        found = _S3.fullmatch(place)
        given = dict(part.partition("=")[::2] for part in query.split("&")) if asks else {}
        if found is None or not all(
            name in _S3_OPTIONS and _S3_OPTIONS[name].fullmatch(value)
            for name, value in given.items()
        ):
            return None
        return cls(found["bucket"], found["folder"].strip("/"), **given)

    def place(self, name: str) -> str:
        """Name what lies under *name* in the folder."""
        return "/".join(filter(None, (f"s3://{self.bucket}", self.folder, name)))


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """One Redis, as its own clients name it; special characters of a password are like ``%40``."""

    url: str = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> "RedisAddress | None":
        """Read an address; None if it is none."""
        match = _REDIS.fullmatch(url)
        return cls(url) if match and 0 < int(match[1]) <= LARGEST_PORT else None


def without_password(url: str) -> str:
    """An address as messages may show it."""
    return re.sub(r"(?<=://).*@", "...@", url)


@dataclass(frozen=True, slots=True)
class ScyllaAddress:
    """A cluster that speaks CQL: some of its nodes, the port of all, and the keyspace of ours there."""

    hosts: tuple[str, ...]
    port: int = CQL_PORT
    keyspace: str = KEYSPACE

    @classmethod
    def parse(cls, url: str) -> "ScyllaAddress | None":
        """Read an address; None if it is none."""
        scheme, _, rest = url.partition("://")
        hosts, slash, keyspace = rest.partition("/")
        nodes = [_NODE.fullmatch(node) for node in hosts.split(",")]
        found = [(node[1].strip("[]"), int(node[2] or CQL_PORT)) for node in nodes if node]
        ports = {port for _, port in found}
        if scheme != "scylla" or None in nodes or len(ports) != 1:
            return None
        (port,) = ports
        if not 0 < port <= LARGEST_PORT:
            return None
        if slash and keyspace and not _KEYSPACE.fullmatch(keyspace):
            return None
        return cls(tuple(host for host, _ in found), port, keyspace or KEYSPACE)


@dataclass(frozen=True, slots=True)
class OpenSearchAddress:
    """A cluster of OpenSearch: some of its nodes, what its indices of ours are called, and how they are kept.

    Another number of shards has an index of its own, which is filled beside the one in use.
    """

    urls: tuple[str, ...]
    index: str = INDEX
    shards: int = 1
    replicas: int = 1
    login: tuple[str, str] | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> "OpenSearchAddress | None":
        """Read an address; None if it is none."""
        place, asks, query = url.partition("?")
        given = dict(part.partition("=")[::2] for part in query.split("&")) if asks else {}
        found = _OPENSEARCH.fullmatch(place)
        if not found or not given.keys() <= {"shards", "replicas"}:
            return None
        nodes = [_NODE.fullmatch(node) for node in found["nodes"].split(",")]
        ports = [int(node[2] or OPENSEARCH_PORT) for node in nodes if node]
        if None in nodes or not all(0 < port <= LARGEST_PORT for port in ports):
            return None
        if not all(_COUNT.fullmatch(value) for value in given.values()):
            return None
        counts = {name: int(value) for name, value in given.items()}
        if not counts.get("shards", 1):
            return None
        protocol = "https" if found["scheme"] == "opensearchs" else "http"
        hosts = [node[1] for node in nodes if node]
        urls = (f"{protocol}://{host}:{port}" for host, port in zip(hosts, ports, strict=True))
        login = (unquote(found["user"]), unquote(found["password"])) if found["user"] else None
        return cls(tuple(urls), found["index"] or INDEX, login=login, **counts)
