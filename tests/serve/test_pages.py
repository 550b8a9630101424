"""The page's routes: what is sent, with which headers, and what is not sent."""

import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from serve.pages import WEB, page_routes

PARTS = sorted(path.name for path in WEB.iterdir() if path.is_file())


def browser(folder: Path = WEB) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=Starlette(routes=page_routes(folder)))
    return httpx.AsyncClient(transport=transport, base_url="http://heartline")


def links(html: str) -> list[str]:
    return re.findall(r'(?:src|href)="(web/[^"]+)"', html)


async def test_the_page_is_at_the_root() -> None:
    async with browser() as client:
        answer = await client.get("/")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>Heartline</title>" in answer.text


async def test_everything_that_the_page_names_is_there() -> None:
    async with browser() as client:
        named = links((await client.get("/")).text)
        statuses = {name: (await client.get(f"/{name}")).status_code for name in named}

    assert "web/app.js" in named
    assert set(statuses.values()) == {200}


@pytest.mark.parametrize("name", PARTS)
def test_every_import_of_a_module_is_a_file(name: str) -> None:
    modules = re.findall(r'^import .* from "\./(.+)";$', _text(name), re.MULTILINE)

    assert set(modules) <= set(PARTS)


def _text(name: str) -> str:
    return (WEB / name).read_bytes().decode(errors="ignore")


@pytest.mark.parametrize("path", ["/", *(f"/web/{name}" for name in PARTS), "/favicon.ico"])
async def test_every_file_carries_its_security_headers(path: str) -> None:
    async with browser() as client:
        headers = (await client.get(path)).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"


def test_nothing_in_the_page_is_inline_or_from_elsewhere() -> None:
    html = _text("index.html")

    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", html) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", html) == []
    assert re.findall(r'(?:src|href)="(?:https?:)?//', html) == []


@pytest.mark.parametrize("name", [name for name in PARTS if name.endswith(".js")])
def test_no_text_ever_becomes_markup(name: str) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"

    assert re.findall(forbidden, _text(name)) == []


@pytest.mark.parametrize("known", ["{etag}", "W/{etag}", '"other", {etag}', "*"])
async def test_a_file_that_the_client_has_is_not_sent_again(known: str) -> None:
    async with browser() as client:
        etag = (await client.get("/web/app.js")).headers["etag"]
        again = await client.get("/web/app.js", headers={"If-None-Match": known.format(etag=etag)})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag


async def test_a_changed_file_has_another_etag(tmp_path: Path) -> None:
    for content in ("old", "new"):
        (tmp_path / content).mkdir()
        (tmp_path / content / "app.js").write_text(content)
    async with browser(tmp_path / "old") as before, browser(tmp_path / "new") as after:
        etag = (await before.get("/web/app.js")).headers["etag"]
        answer = await after.get("/web/app.js", headers={"If-None-Match": etag})

    assert (answer.status_code, answer.text) == (200, "new")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["/web/", "/web/nothing.js", "/web/..%2fserve%2fpages.py", "/web/%00", "/web/secret.env"],
)
async def test_only_the_files_of_the_folder_are_served(path: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("page")
    (tmp_path / "secret.env").write_text("secret")
    async with browser(tmp_path) as client:
        answer = await client.get(path)

    assert answer.status_code == 404


async def test_head_tells_without_sending() -> None:
    async with browser() as client:
        answer = await client.head("/")

    assert (answer.status_code, answer.content) == (200, b"")


def test_a_package_without_its_page_says_so_at_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        page_routes(tmp_path / "nowhere")
