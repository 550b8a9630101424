"""Apache Kafka: one broker that is its own controller."""

import base64
import secrets
import subprocess
from pathlib import Path
from typing import ClassVar

from tests.servers import answers
from tests.servers.place import Place
from tests.servers.programs import jars, java

LOGGING = [
    "-Dorg.slf4j.simpleLogger.logFile=System.out",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
    "-Dorg.slf4j.simpleLogger.showShortLogName=true",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
]


class Kafka:
    """The log."""

    name = "kafka"
    variable = "HEARTLINE_LOG"
    ports: ClassVar = {"port": 29092, "controller_port": 29093}

    def __init__(self, told_port: int = 0) -> None:
        self._told_port = told_port  # where it tells clients that it is; 0: where it is

    def install(self, programs: Path) -> None:
        """Have Java and the jars."""
        java()
        jars(self.name, programs)

    def command(self, place: Place) -> list[str]:
        """Configure the broker and, the first time, format its directory; tells how to start it."""
        properties = place.configured("kafka.properties", told_port=self._told_port or place.port)
        run = [str(java()), *LOGGING, "-cp", f"{jars(self.name, place.programs)}/*"]
        if not (place.data / "meta.properties").exists():
            cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
            # An id that begins with a hyphen would be taken for an option.
            formatting = ["format", f"--cluster-id=h{cluster[1:]}", "-c", str(properties)]
            subprocess.run(
                [*run, "kafka.tools.StorageTool", *formatting], capture_output=True, check=True
            )
        return [run[0], "-Xmx512m", *run[1:], "kafka.Kafka", str(properties)]

    def environment(self, place: Place) -> dict[str, str]:
        """Nothing that its command line does not say."""
        return {}

    def answers(self, port: int) -> bool:
        """Whether it has started."""
        return answers.kafka_answers(port)

    def settings(self, place: Place) -> dict[str, str]:
        """Tell the settings that point Heartline here."""
        return {self.variable: f"kafka://127.0.0.1:{place.port}"}
