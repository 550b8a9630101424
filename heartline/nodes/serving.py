"""The applications on a cluster: what `serve deploy serve/config.yaml` does, with our settings."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ray
import yaml
from ray import serve
from ray.serve._private.api import serve_start
from ray.serve._private.constants import SERVE_CONTROLLER_NAME, SERVE_NAMESPACE
from ray.serve.schema import ServeDeploySchema

from heartline.applications import LOOPBACK
from heartline.settings import Settings
from heartline.terminal import fail

RUNNING_S, LOOK_S = 180.0, 0.2


def read_config(path: Path) -> dict[str, Any]:
    """Read a configuration of Ray Serve.

    Raises
    ------
    Failure
        It cannot be read, or is none.
    """
    try:
        document = yaml.safe_load(path.read_text())
        ServeDeploySchema.model_validate(document)
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = str(error).replace("\n", " ")[:300]
        fail(f"{path} is no configuration of Ray Serve: {reason}")
    return dict(document)


def deploy(document: Mapping[str, Any], settings: Settings, *, one_machine: bool) -> list[str]:
    """Deploy the applications, and wait until they run; tells their names.

    Raises
    ------
    Failure
        One does not run.
    """
    here = {"host": LOOPBACK, "port": settings.port}
    if one_machine:  # one front end for all its nodes
        options = {**document.get("http_options", {}), **here}
        document = {**document, "proxy_location": "HeadOnly", "http_options": options}
    config = ServeDeploySchema.model_validate(document)
    client = serve_start(
        http_options=config.http_options.model_dump(),
        proxy_location=config.proxy_location,
        global_logging_config=config.logging_config,
    )
    client.deploy_apps(config)
    names = [application.name for application in config.applications]
    _wait_for(names)
    return names


def applications_run() -> bool:
    """Whether Ray Serve runs on this cluster."""
    try:
        ray.get_actor(SERVE_CONTROLLER_NAME, SERVE_NAMESPACE)
    except ValueError:
        return False
    return True


def stop_applications() -> None:
    """Stop Ray Serve, if it runs."""
    if applications_run():
        serve.shutdown()  # type: ignore[no-untyped-call]


def _wait_for(names: list[str]) -> None:
    end_s = time.monotonic() + RUNNING_S
    while True:
        told = serve.status().applications
        waiting = [name for name in names if name not in told or told[name].status != "RUNNING"]
        if not waiting:
            return
        failed = [name for name in waiting if name in told and told[name].status == "DEPLOY_FAILED"]
        if failed or time.monotonic() > end_s:
            said = told[(failed or waiting)[0]].message if (failed or waiting)[0] in told else ""
            fail(
                f"{', '.join(failed or waiting)} did not start: {said.strip()[-400:] or 'too slow'}"
            )
        time.sleep(LOOK_S)
