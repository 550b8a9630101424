"""`deploy/rayservice.yaml`: whole, without a secret in it, and the same as what it repeats."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
import yaml
from ray.serve.schema import ServeDeploySchema

from heartline.nodes.requirements import check
from heartline.ray_environment import node_environment
from heartline.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SERVICE, POLICY = yaml.safe_load_all((ROOT / "deploy" / "rayservice.yaml").read_text())
CLUSTER: dict[str, Any] = SERVICE["spec"]["rayClusterConfig"]
HEAD = CLUSTER["headGroupSpec"]["template"]["spec"]
(WORKERS,) = CLUSTER["workerGroupSpecs"]
PODS = [HEAD, WORKERS["template"]["spec"]]
EACH_POD = pytest.mark.parametrize("pod", PODS, ids=["head", "worker"])
OF_THE_MACHINE = {
    "RAY_SERVE_HAPROXY_BINARY_PATH",
    "RAY_SERVE_HAPROXY_MAXCONN",
    "RAY_SERVE_HAPROXY_NBTHREAD",
    "RAY_worker_maximum_startup_concurrency",
}
OF_KUBERAY = {"RAY_AUTH_MODE"}


def environment(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["containers"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def leaves(document: Any) -> Iterator[Any]:
    if isinstance(document, dict | list):
        for each in document.values() if isinstance(document, dict) else document:
            yield from leaves(each)
    else:
        yield document


def test_it_is_a_ray_service_of_our_ray() -> None:
    assert (SERVICE["apiVersion"], SERVICE["kind"]) == ("ray.io/v1", "RayService")
    assert CLUSTER["rayVersion"] == ray.__version__


def test_the_applications_are_those_of_the_serve_configuration() -> None:
    document = yaml.safe_load(SERVICE["spec"]["serveConfigV2"])

    assert document == yaml.safe_load((ROOT / "serve" / "config.yaml").read_text())
    assert ServeDeploySchema.model_validate(document)


def test_no_second_cluster_is_made_beside_the_first() -> None:
    assert SERVICE["spec"]["upgradeStrategy"] == {"type": "None"}


def test_the_loss_of_the_head_is_survived() -> None:
    options = CLUSTER["gcsFaultToleranceOptions"]

    assert options["redisAddress"].startswith("redis://")
    assert options["redisPassword"]["valueFrom"]["secretKeyRef"]["name"] == "heartline"
    assert CLUSTER["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert CLUSTER["authOptions"] == {"mode": "token"}


def test_workers_are_scaled_within_bounds() -> None:
    assert 2 < WORKERS["minReplicas"] <= WORKERS["replicas"] <= WORKERS["maxReplicas"]


@EACH_POD
def test_a_container_is_pinned_bounded_probed_and_without_rights(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]

    assert re.fullmatch(r"heartline:\d+\.\d+\.\d+", container["image"])
    assert (
        container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
    )
    assert {"exec"} < set(container["livenessProbe"]) & set(container["readinessProbe"])
    assert container["securityContext"]["runAsNonRoot"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]


@EACH_POD
def test_ray_starts_with_the_environment_that_we_print(pod: dict[str, Any]) -> None:
    wanted = node_environment(Path("haproxy"))
    given = {name: value for name, value in environment(pod).items() if name.startswith("RAY_")}

    assert given == {
        name: value for name, value in wanted.items() if name not in OF_THE_MACHINE | OF_KUBERAY
    }


@EACH_POD
def test_settings_are_those_that_a_cluster_wants(pod: dict[str, Any]) -> None:
    given = {
        name: value if isinstance(value, str) else "redis://:secret@redis:6379/0"
        for name, value in environment(pod).items()
    }

    check(Settings.from_environ(given), [], one_machine=False)


@EACH_POD
def test_the_signing_key_is_where_the_setting_says(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    (mount,) = container["volumeMounts"]
    (volume,) = pod["volumes"]

    assert mount == {
        "name": volume["name"],
        "mountPath": environment(pod)["HEARTLINE_SECRETS"],
        "readOnly": True,
    }
    assert volume["secret"]["items"][0]["path"] == "token-signing-key.pem"


@EACH_POD
def test_no_secret_stands_in_the_file(pod: dict[str, Any]) -> None:
    secret = [
        value
        for name, value in environment(pod).items()
        if re.search("PRESENCE|SECRET_|KEY|TOKEN|PASSWORD", name)
    ]

    assert secret
    assert [value for value in secret if set(value) != {"secretKeyRef"}] == []
    assert [leaf for leaf in leaves(SERVICE) if re.search(r"://[^/]*:[^/]*@", str(leaf))] == []


def test_only_the_front_end_is_to_be_had_from_outside() -> None:
    among_ourselves, from_outside = POLICY["spec"]["ingress"]

    assert from_outside == {"ports": [{"port": 8000}]}
    assert among_ourselves["from"][0]["podSelector"] == POLICY["spec"]["podSelector"]
