import re
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from domain.ports import NowPlaying
from domain.rows import Play
from serve import ingest
from serve.app import DESCRIBED
from serve.openapi import STYLE, document
from stores.accounts import Scope
from tests.clock import MONDAY_MS
from tests.serve.world import PASSWORD, World


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document(DESCRIBED, version="0.0.1")


def test_the_document_is_valid_openapi(described: dict[str, Any]) -> None:
    validate(described)
    validate(document((*ingest.ENDPOINTS, *DESCRIBED), version="0.0.1"))

    assert described["openapi"] == "3.1.0"
    assert described["info"]["version"] == "0.0.1"


def test_every_endpoint_is_in_the_document(described: dict[str, Any]) -> None:
    operations = {
        (method.upper(), path) for path, methods in described["paths"].items() for method in methods
    }

    assert operations == {
        (endpoint.method, endpoint.path.replace(":path}", "}")) for endpoint in DESCRIBED
    }


def test_every_operation_says_how_it_may_fail(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        for operation in methods.values():
            failures = {status for status in operation["responses"] if status >= "400"}
            assert {"500", "503"} <= failures, path
            assert bool(operation["security"]) == ("401" in failures) or path == "/v1/token"


async def test_the_document_and_its_page_are_served(world: World) -> None:
    async with world.client() as client:
        served = await client.get("/v1/openapi.json")
        page = await client.get("/v1/docs")

    assert served.json() == document(DESCRIBED, version="0.0.1")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "/v1/me/listening/minutes" in page.text


async def test_the_page_needs_nothing_from_elsewhere(world: World) -> None:
    async with world.client() as client:
        page = await client.get("/v1/docs")

    assert re.findall(r"(?:src|href)=[\"']?([^\"' >]+)", page.text) == ["/v1/openapi.json"]
    assert "<script" not in page.text
    assert f"<style>{STYLE}</style>" in page.text
    assert "style-src 'sha256-" in page.headers["Content-Security-Policy"]


def schema_of(described: dict[str, Any], method: str, path: str, status: int) -> dict[str, Any]:
    response = described["paths"][path][method.lower()]["responses"][str(status)]
    schema = response["content"]["application/json"]["schema"]
    return {**schema, "components": described["components"]}


ANSWERS = [
    ("GET", "/v1/me", None, 200),
    ("PUT", "/v1/me", {"display_name": "Countess"}, 200),
    ("PUT", "/v1/me", {"display_name": ""}, 422),
    ("POST", "/v1/accounts", {"name": "bob", "password": PASSWORD}, 201),
    ("GET", "/v1/me/listening/minutes", None, 200),
    ("GET", "/v1/me/player/recently-played", None, 200),
    ("GET", "/v1/me/player", None, 200),
    ("GET", "/readyz", None, 200),
    ("GET", "/healthz", None, 200),
    ("GET", "/v1/status", None, 200),
]


async def test_a_token_that_is_not_granted_is_refused_as_the_document_says(
    world: World, described: dict[str, Any]
) -> None:
    async with world.client() as client:
        answer = await client.post("/v1/token", data={"grant_type": "magic"})

    jsonschema.validate(answer.json(), schema_of(described, "POST", "/v1/token", 400))


@pytest.mark.parametrize("asked", ANSWERS, ids=lambda asked: f"{asked[0]}-{asked[1]}-{asked[3]}")
async def test_what_is_answered_is_what_the_document_says(
    world: World, described: dict[str, Any], asked: tuple[str, str, object, int]
) -> None:
    method, path, body, status = asked
    account = await world.account("ada", *Scope)
    world.listening.weeks[account.listener_id] = {MONDAY_MS // 900_000: 60_000}
    world.listening.history[account.listener_id] = [
        Play(
            1, "t", "p", MONDAY_MS, MONDAY_MS, 0, counted=False, context="", device_id="", reached=0
        )
    ]
    world.presence.playing[account.listener_id] = NowPlaying(
        "t", MONDAY_MS, 0, is_playing=True, device_id="", context="a:b:c"
    )

    async with world.client(account) as client:
        answer = await client.request(method, path, json=body)

    assert answer.status_code == status
    jsonschema.validate(answer.json(), schema_of(described, method, path, status))
