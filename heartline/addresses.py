"""Where servers are, as settings name them: `kafka://host:port,host:port/topic`."""

import re
from dataclasses import dataclass

KAFKA_WANTS = "kafka://host:port[,host:port ...][/topic]"
LARGEST_PORT = 65_535

_SERVER = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,200}")


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
            port and 0 < int(port[1]) <= LARGEST_PORT for port in ports
        ):
            return None
        if (slash and topic and not _TOPIC.fullmatch(topic)) or topic in {".", ".."}:
            return None
        return cls(servers, topic)
