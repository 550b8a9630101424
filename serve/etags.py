"""Answers that a client may keep, and asks whether they changed (RFC 9110, section 13)."""

from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

from serve.endpoints import JSON


def tagged(request: Request, body: bytes, *, version: str = "") -> Response:
    """Answer with JSON, or 304 if the client has it already; the tag begins with a *version*."""
    etag = f'"{version}{blake2b(body, digest_size=16).hexdigest()}"'
    headers = {"Cache-Control": "private, no-cache", "ETag": etag}
    if has(request.headers.get("If-None-Match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=JSON)


def has(if_none_match: str, etag: str) -> bool:
    """Whether a client says that it has what *etag* stands for."""
    # Weak comparison, as section 13.1.2 asks for: a proxy that compresses weakens ours.
    known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in known or "*" in known
