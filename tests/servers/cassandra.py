"""Apache Cassandra: the server that speaks CQL where there is no ScyllaDB."""

from pathlib import Path
from typing import ClassVar

from tests.servers import answers
from tests.servers.place import CONFIGURATION, Place
from tests.servers.programs import jars, java

DAEMON = "org.apache.cassandra.service.CassandraDaemon"


class Cassandra:
    """The store of rows."""

    name = "cassandra"
    variable = "HEARTLINE_STORE"
    ports: ClassVar = {"port": 29042, "storage_port": 29043}

    def install(self, programs: Path) -> None:
        """Have Java and the jars."""
        java()
        jars(self.name, programs)

    def command(self, place: Place) -> list[str]:
        """Configure the node; tells how to start it."""
        lib = jars(self.name, place.programs)
        (agent,) = lib.glob("jamm-*.jar")
        return [
            str(java()),
            "-Xms256m",
            "-Xmx1g",
            f"@{CONFIGURATION / 'cassandra.options'}",
            f"-javaagent:{agent}",
            f"-Dlogback.configurationFile={CONFIGURATION / 'logback.xml'}",
            f"-Dcassandra.config={place.configured('cassandra.yaml').as_uri()}",
            f"-Dcassandra.storagedir={place.data}",
            "-cp",
            f"{lib}/*",
            DAEMON,
        ]

    def environment(self, place: Place) -> dict[str, str]:
        """Nothing that its command line does not say."""
        return {}

    def answers(self, port: int) -> bool:
        """Whether it speaks CQL."""
        return answers.cql_answers(port)

    def settings(self, place: Place) -> dict[str, str]:
        """Tell the settings that point Heartline here."""
        return {self.variable: f"scylla://127.0.0.1:{place.port}/heartline"}
