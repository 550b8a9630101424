"""An address at which there is no Ray cluster is told in a line, and at once."""

import pytest

from heartline.nodes.ray_cluster import connected
from heartline.terminal import Failure
from tests.servers.ports import free_ports


def said(environ: dict[str, str]) -> str:
    with pytest.raises(Failure) as failure, connected(environ):
        pass
    return failure.value.line


def test_without_an_address_it_is_asked_for() -> None:
    assert said({}).startswith("set RAY_ADDRESS to the Ray cluster, as host:port")


def test_where_nobody_listens_it_is_said() -> None:
    (port,) = free_ports(1)

    line = said({"RAY_ADDRESS": f"127.0.0.1:{port}"})

    assert f"nothing answers at 127.0.0.1:{port}" in line


@pytest.mark.parametrize(
    "address", ["nonsense", "ray://head:10001", "http://head:8265", "head:", ":1"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert said({"RAY_ADDRESS": address}).startswith("RAY_ADDRESS: wants host:port or auto, not")


def test_a_port_that_no_machine_has_is_refused() -> None:
    assert "nothing answers" in said({"RAY_ADDRESS": "127.0.0.1:99999"})
