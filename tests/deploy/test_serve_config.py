"""`serve/config.yaml`: what `serve deploy` takes, for the applications that there are."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ray._common.utils import import_attr
from ray.serve.schema import ServeDeploySchema

from heartline.applications import APPLICATIONS
from heartline.nodes.serving import read_config
from heartline.terminal import Failure

CONFIG = Path(__file__).resolve().parents[2] / "serve" / "config.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(CONFIG.read_text())
PARSED = ServeDeploySchema.model_validate(DOCUMENT)
EACH = pytest.mark.parametrize("application", PARSED.applications, ids=lambda each: each.name)


def test_ray_serve_takes_the_file_and_knows_every_word_of_it() -> None:
    known = PARSED.model_dump(exclude_unset=True, mode="json")

    assert {name: known[name] for name in DOCUMENT} == DOCUMENT


def test_it_has_the_applications_of_one_machine_at_their_places() -> None:
    here = {each.name: each.prefix for each in APPLICATIONS}

    assert {each.name: each.route_prefix for each in PARSED.applications} == here


@EACH
def test_what_is_imported_is_there(application: Any) -> None:
    assert callable(import_attr(application.import_path))


@EACH
def test_a_deployment_is_that_of_its_application(application: Any) -> None:
    assert [each.name for each in application.deployments] == [application.name]


@EACH
def test_a_replica_holds_a_core_and_has_another_beside_it(application: Any) -> None:
    (deployment,) = application.model_dump(exclude_unset=True)["deployments"]

    least = {**deployment, **deployment.get("autoscaling_config", {})}
    assert deployment["ray_actor_options"] == {"num_cpus": 1}
    assert least.get("min_replicas", least.get("num_replicas")) == 2


@pytest.mark.parametrize("hot", [each.name for each in APPLICATIONS if each.hot])
def test_what_ray_serve_does_not_see_it_does_not_scale(hot: str) -> None:
    (deployment,) = next(each for each in PARSED.applications if each.name == hot).deployments

    assert deployment.num_replicas == 2


@pytest.mark.parametrize("written", ["applications: 7", "[", "{}", None])
def test_another_file_is_refused_in_a_line(tmp_path: Path, written: str | None) -> None:
    path = tmp_path / "config.yaml"
    if written:
        path.write_text(written)

    with pytest.raises(Failure) as failure:
        read_config(path)

    assert str(path) in failure.value.line
    assert "\n" not in failure.value.line
