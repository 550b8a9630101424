"""Apache Flink, the peer of streams: its Python in an environment of its own, its connector, its job."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.programs import java, program

ROOT = Path(__file__).resolve().parents[2]
FLINK = "apache-flink==2.2.0"
CONNECTOR = "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2"
JOB = Path(__file__).with_name("flink_job.py")
PLAIN = {
    "parallelism.default": "1",
    "state.backend.type": "hashmap",
    "taskmanager.memory.managed.size": "512m",
}
TUNED = {
    **PLAIN,
    "pipeline.object-reuse": "true",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "1 s",
    "table.exec.mini-batch.size": "5000",
}
VARIANTS = {
    "in memory": TUNED,
    "on RocksDB": {**TUNED, "state.backend.type": "rocksdb"},
    "in memory, not tuned": PLAIN,
}


@dataclass(frozen=True, slots=True)
class Flink:
    """An installed Flink."""

    python: Path
    jar: Path

    @classmethod
    def install(cls, home: Path = ROOT / "build" / "flink") -> "Flink":
        """Have it in *home*; takes minutes the first time."""
        python, done = home / "venv" / "bin" / "python", home / "installed"
        if not done.exists():
            home.mkdir(parents=True, exist_ok=True)
            maven = str(program("mvn", "maven"))
            copy = ["dependency:copy", f"-Dartifact={CONNECTOR}", f"-DoutputDirectory={home}"]
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            for command in (
                [sys.executable, "-m", "venv", str(home / "venv")],
                [*pip, FLINK],
                [maven, "--batch-mode", "--strict-checksums", "-q", *copy],
            ):
                subprocess.run(command, check=True)
            done.touch()
        (jar,) = home.glob("flink-sql-connector-kafka-*.jar")
        return cls(python, jar)

    def run(
        self, servers: str, topic: str, warm: Sequence[int], measured: Sequence[int], variant: str
    ) -> Mapping[str, float]:
        """Count the heartbeats of *topic* up to the offsets *measured*, after those up to *warm*."""
        order = {
            "settings": {
                **VARIANTS[variant],
                "pipeline.jars": self.jar.as_uri(),
            },
            "source": {"servers": servers, "topic": topic},
            "warm": list(warm),
            "measured": list(measured),
        }
        done = subprocess.run(
            [str(self.python), str(JOB), json.dumps(order)],
            env={**os.environ, "JAVA_HOME": str(java().parents[1])},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"Flink failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        took: Mapping[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return {**took, "heartbeats": sum(measured)}
