"""OpenSearch without its distribution: one node, or one of several that are a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tests.servers import answers
from tests.servers.place import CONFIGURATION, Place
from tests.servers.programs import jars, jdk

HOLDS_DATA = "cluster_manager, data"
VOTES_ONLY = "cluster_manager"
HEAP = MappingProxyType({HOLDS_DATA: "768m", VOTES_ONLY: "200m"})
READY = "/_cluster/health?wait_for_status=yellow&timeout=1s"


@dataclass(frozen=True, slots=True)
class OpenSearch:
    """The search index. *peers* are the transport ports of all nodes of its cluster; none: it is alone."""

    name: str = "opensearch"
    variable: str = "HEARTLINE_SEARCH"
    ports: Mapping[str, int] = field(
        default_factory=lambda: {"port": 29200, "transport_port": 29300}
    )
    roles: str = HOLDS_DATA
    peers: Sequence[int] = ()
    options: Sequence[str] = ()  # of the JVM

    def install(self, programs: Path) -> None:
        """Have Java, its compiler and the jars."""
        jdk()
        jars("opensearch", programs)

    def command(self, place: Place) -> list[str]:
        """Configure the node; tells how to start it."""
        peers = self.peers or [place.ports["transport_port"]]
        place.configured(
            "opensearch.yml",
            home=place.home,
            roles=self.roles,
            node=_node(place.ports["transport_port"]),
            seeds=", ".join(f'"127.0.0.1:{port}"' for port in peers),
            founders=", ".join(_node(port) for port in peers),
        )
        return [
            str(jdk()),
            "-Xms128m",
            f"-Xmx{HEAP[self.roles]}",
            "-XX:+UseSerialGC",
            *self.options,
            f"-Dlog4j2.configurationFile={CONFIGURATION / 'log4j2.properties'}",
            "-cp",
            f"{jars('opensearch', place.programs)}/*",
            str(CONFIGURATION / "OpenSearchNode.java"),
            str(place.home),
        ]

    def environment(self, place: Place) -> dict[str, str]:
        """Nothing that its configuration does not say."""
        return {}

    def answers(self, port: int) -> bool:
        """Whether its cluster takes writes."""
        return answers.http_answers(port, READY)

    def settings(self, place: Place) -> dict[str, str]:
        """Tell the settings that point Heartline here."""
        return {self.variable: f"opensearch://127.0.0.1:{place.port}?replicas=0"}


def _node(transport_port: int) -> str:
    return f"node-{transport_port}"
