"""An upload over HTTP can be searched for seconds later: log, cataloguer, indexer and index, all real."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.serve.whole import Whole, serving

PATIENCE_S = 60.0  # on a machine that others have


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with serving(tmp_path_factory.mktemp("whole")) as made:
        yield made


@pytest.fixture(scope="module")
def client(whole: Whole) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {whole.new_token()}"}
    with httpx.Client(base_url=whole.url, headers=headers, trust_env=False) as client:
        yield client


def put(client: httpx.Client, path: str, **fields: Any) -> None:
    answer = client.put(f"/v1/catalogue/{path}", json=fields)
    assert answer.is_success, answer.text


def found(client: httpx.Client, text: str, *, expected: list[str]) -> list[str]:
    """Search until *expected* is what is found, or for as long as it takes to be sure."""
    until_s = time.monotonic() + PATIENCE_S
    while True:
        page = client.get("/v1/search", params={"q": text, "type": "track"}).json()["tracks"]
        names = [item["name"] for item in page["items"]]
        if names == expected or time.monotonic() > until_s:
            return names


def test_an_upload_is_found_and_gone_when_it_is_removed(client: httpx.Client) -> None:
    put(client, "artists/nina", name="Nina Simone")
    put(client, "albums/blues", name="Pastel Blues", artists=["nina"])
    put(
        client,
        "tracks/sin",
        name="Sinnerman",
        artists=["nina"],
        album="blues",
        duration_ms=620_000,
        track_number=9,
    )
    uploaded = found(client, "sinerman simone", expected=["Sinnerman"])
    put(client, "artists/nina", name="Eunice Waymon")
    renamed = found(client, "waymon", expected=["Sinnerman"])
    client.delete("/v1/catalogue/tracks/sin")
    removed = found(client, "waymon", expected=[])

    assert (uploaded, renamed, removed) == (["Sinnerman"], ["Sinnerman"], [])


def test_what_searching_took_is_measured(whole: Whole, client: httpx.Client) -> None:
    client.get("/v1/search", params={"q": "nothing"})
    text = client.get("/metrics").text

    assert 'heartline_search_engine_seconds_count{for="search"' in text
    assert "heartline_search_indexed_entries_total" in text
    assert "heartline_catalogue_records_total" in text
