"""Prometheus with the configuration that we deploy, only faster, and pointed at what a test serves."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from heartline import processes
from tests.servers.ports import free_ports
from tests.servers.programs import program

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
EVERY = "1s"  # also the longest that a scrape may take
STARTS_WITHIN_S, LOOK_S = 30.0, 0.1


class Prometheus:
    """One that runs."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def ask(self, path: str) -> Any:
        """Ask its API."""
        return self._client.get(f"/api/v1/{path}").raise_for_status().json()["data"]

    def firing(self) -> set[str]:
        """Tell which alerts fire."""
        alerts = self.ask("alerts")["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    def health(self, job: str) -> str:
        """Tell how the last scrape of a job went: up, or why not."""
        for target in self.ask("targets")["activeTargets"]:
            if target["labels"]["job"] == job:
                return str(target["lastError"] or target["health"])
        return "no such target"

    def answers(self) -> bool:
        """Whether it is ready."""
        try:
            return self._client.get("/-/ready").status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def watching(folder: Path, host: str, password: str) -> Iterator[Prometheus]:
    """Run Prometheus on what *host* (``address:port``) serves, as the account ``prometheus``.

    :raises programs.Missing: if there is none and we may not install it.
    """
    binary = program("prometheus", "prometheus")
    (port,) = free_ports(1)
    file = _configured(folder, host, password, port)
    with (folder / "prometheus.log").open("wb") as output:
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=processes.die_with_parent,  # noqa: PLW1509
        )
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)
    try:
        running = Prometheus(client)
        until_s = time.monotonic() + STARTS_WITHIN_S
        while not running.answers():
            assert process.poll() is None, (folder / "prometheus.log").read_text()
            assert time.monotonic() < until_s, (folder / "prometheus.log").read_text()
            time.sleep(LOOK_S)
        yield running
    finally:
        client.close()
        process.terminate()
        process.wait(STARTS_WITHIN_S)


def _configured(folder: Path, host: str, password: str, port: int) -> Path:
    """Copy what we deploy, with other addresses, shorter durations, and nothing else changed."""
    made = shutil.copytree(DEPLOY / "prometheus", folder / "configuration")
    secret = folder / "password"
    secret.write_text(password)
    file, alerts = made / "prometheus.yml", made / "alerts.yml"
    text = re.sub(r"_interval: \w+", f"_interval: {EVERY}", file.read_text())
    for old, new in {
        "127.0.0.1:8000": host,
        "127.0.0.1:9090": f"127.0.0.1:{port}",
        "/run/secrets/heartline-metrics": str(secret),
    }.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    alerts.write_text(re.sub(r"(?m)^( *for:) \w+$", rf"\1 {EVERY}", alerts.read_text()))
    return file
