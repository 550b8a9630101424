import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from heartline.settings import Settings, variable

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "docs" / "settings.md"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-dev.lock"]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def requirement_name(requirement: str) -> str:
    return re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(lock: str) -> dict[str, str]:
    """Tell the version of each package of a lock by its name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {normal(name): version for name, version in found}


DEPENDENCIES = [requirement_name(one) for one in PROJECT["project"]["dependencies"]]


def anchor(heading: str) -> str:
    """Name a heading as a link to it does on the usual forges."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def internal_links() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" not in target:
                yield str(document.relative_to(ROOT)), target


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_with_hashes_and_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=[^\s#])", text)[1:]

    assert [entry for entry in entries if not re.match(r"[\w.-]+==[\w.]+ ", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"\w+://|^-.*|@ ", text, re.MULTILINE) == []


def test_both_locks_agree_on_what_they_share() -> None:
    runtime, development = (pinned(lock) for lock in LOCKS)

    shared = runtime.keys() & development.keys()

    assert {name: runtime[name] for name in shared} == {name: development[name] for name in shared}


def test_every_dependency_is_locked() -> None:
    assert [name for name in DEPENDENCIES if normal(name) not in pinned(LOCKS[0])] == []


def test_tzdata_is_the_version_that_the_project_names() -> None:
    assert f"tzdata=={pinned(LOCKS[0])['tzdata']}" in PROJECT["project"]["dependencies"]


@pytest.mark.parametrize("name", DEPENDENCIES)
def test_the_readme_says_what_a_dependency_is_for(name: str) -> None:
    rows = re.findall(r"^\| `([^`]+)` \| \S", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert name in [requirement_name(row) for row in rows]


@pytest.mark.parametrize("setting", [variable(one.name) for one in fields(Settings)])
def test_every_setting_has_a_row(setting: str) -> None:
    assert re.search(rf"^\| `{setting}` \| \S", SETTINGS.read_text(), re.MULTILINE)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize(
    "name", ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "GLOSSARY.md", "LICENSE"]
)
def test_the_house_has_its_documents(name: str) -> None:
    assert (ROOT / name).stat().st_size > 500


@pytest.mark.parametrize(("document", "target"), sorted(set(internal_links())))
def test_a_link_leads_somewhere(document: str, target: str) -> None:
    path, _, fragment = target.partition("#")
    there = ((ROOT / document).parent / path).resolve() if path else ROOT / document

    assert there.exists()
    if fragment:
        headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
        assert fragment in [anchor(heading) for heading in headings]


def test_every_layer_is_shipped_typed_and_checked() -> None:
    layers = {path.parent.name for path in ROOT.glob("*/py.typed")}
    tools = PROJECT["tool"]

    assert set(tools["importlinter"]["root_packages"]) == layers
    assert set(tools["hatch"]["build"]["targets"]["wheel"]["packages"]) == layers | {"web"}
    assert layers <= set(tools["mypy"]["files"])
