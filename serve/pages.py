"""The web page: the files of `web/`, read once, served with their security headers.

`/` is the page; what it loads is under `/web/`. There is no build step, so names carry no digest:
clients keep the files and ask whether they changed (`ETag`, `no-cache`).
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serve.etags import has

WEB = Path(__file__).resolve().parent.parent / "web"

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}

# Nothing from elsewhere, nothing inline, no text that becomes markup.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file as it is sent."""

    content: bytes
    content_type: str
    etag: str


def read_web(folder: Path) -> dict[str, WebFile]:
    """Read the files of *folder* that a browser may have, by name; other kinds stay unserved."""
    return {
        path.name: _read(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix in CONTENT_TYPES
    }


def page_routes(folder: Path = WEB) -> list[Route]:
    """Routes of the page: `/`, `/web/NAME` and `/favicon.ico`.

    :raises FileNotFoundError: if *folder* is not there (the package was installed without it).
    """
    files = read_web(folder)

    async def page(request: Request) -> Response:
        return _send(request, files.get("index.html"))

    async def icon(request: Request) -> Response:
        return _send(request, files.get("icon.png"))

    async def part(request: Request) -> Response:
        return _send(request, files.get(request.path_params["name"]))

    return [
        Route("/", page, name="page"),
        Route("/favicon.ico", icon, name="icon"),
        Route("/web/{name}", part, name="web"),
    ]


def _read(path: Path) -> WebFile:
    content = path.read_bytes()
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    return WebFile(content, CONTENT_TYPES[path.suffix], etag)


def _send(request: Request, file: WebFile | None) -> Response:
    if file is None:
        raise HTTPException(404)
    headers = SECURITY_HEADERS | {"Cache-Control": "no-cache", "ETag": file.etag}
    if has(request.headers.get("If-None-Match", ""), file.etag):
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers | {"Content-Type": file.content_type})
