from importlib.util import find_spec
from pathlib import Path

from heartline.ray_environment import environment


def test_ray_serve_reads_every_variable_that_we_set_for_it() -> None:
    spec = find_spec("ray.serve")
    assert spec
    assert spec.submodule_search_locations
    serve = Path(spec.submodule_search_locations[0])
    read = (serve / "_private" / "constants.py").read_text()

    ours = environment({}, marker="cafe0123", run_dir=Path("/r"), wrapper=Path("/w"), token="t")

    ignored = {name for name in ours if name.startswith("RAY_SERVE_") and f'"{name}"' not in read}
    assert ignored == set()


def test_ray_settings_of_the_person_are_not_passed_on() -> None:
    given = {"RAY_ADDRESS": "elsewhere", "HOME": "/root"}

    ours = environment(given, marker="cafe0123", run_dir=Path("/r"), wrapper=Path("/w"), token="t")

    assert "RAY_ADDRESS" not in ours
    assert ours["HOME"] == "/root"
