"""The OpenAPI 3.1 document, made from the route table and the types, and a page to read it."""

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serve.auth import Caller
from serve.endpoints import FORM, JSON, Endpoint, Link
from serve.errors import ErrorDocument
from stores.accounts import Scope

TITLE = "Heartline"
DESCRIPTION = "What everybody listens to, live and exactly. Shapes follow the Spotify Web API."
REFERENCE = "#/components/schemas/{name}"
MEANINGS = {
    200: "Done",
    201: "Made",
    202: "Taken",
    204: "Nothing to show",
    400: "Malformed",
    401: "No valid access token",
    403: "The token lacks a scope, or this belongs to somebody else",
    404: "There is none",
    405: "Not with this method",
    408: "The body did not arrive in time",
    409: "Somebody has it already",
    412: "It has changed since",
    413: "The body is too large",
    415: "The body is of another type",
    422: "Well-formed, but a value is wrong; `field` names it",
    429: "Too many attempts; `Retry-After` says when to come back",
    500: "A fault of ours",
    503: "A backend is away; `Retry-After` says when to come back",
}
TEXT = {"type": "string"}
HEADERS: dict[int, dict[str, Any]] = {
    201: {"Location": {"description": "Where it is now", "required": True, "schema": TEXT}},
    401: {"WWW-Authenticate": {"description": "How to log in", "required": True, "schema": TEXT}},
    403: {"WWW-Authenticate": {"description": "Which scope is missing", "schema": TEXT}},
    429: {"Retry-After": {"description": "Seconds", "required": True, "schema": TEXT}},
    503: {"Retry-After": {"description": "Seconds", "required": True, "schema": TEXT}},
}
TOKEN_PATH = "/v1/token"  # noqa: S105
FLOW = {
    "tokenUrl": TOKEN_PATH,
    "refreshUrl": TOKEN_PATH,
    "scopes": {
        Scope.LISTENER: "Listen, and read and change what is one's own",
        Scope.INGEST: "Post heartbeats for any listener",
        Scope.OPERATOR: "Read anybody's listening and the system's state",
        Scope.LABEL: "Write the catalogue",
        Scope.METRICS: "Read what Prometheus scrapes",
    },
}
SECURITY = {
    "type": "oauth2",
    "description": "A bearer token in the Authorization header",
    "flows": {"password": FLOW, "clientCredentials": FLOW},
}
_PATH_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")

Endpoints = Sequence[Endpoint[Any]]


def document(endpoints: Endpoints, *, version: str) -> dict[str, Any]:
    """Describe *endpoints* and every type that they take and give."""
    types = list(_types(endpoints))
    references, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    schemas = dict(zip(map(repr, types), references, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = _PATH_PARAMETER.sub(r"{\1}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"oauth2": SECURITY}},
    }


def _types(endpoints: Endpoints) -> Iterable[Any]:
    found: dict[str, Any] = {repr(ErrorDocument): ErrorDocument}
    for endpoint in endpoints:
        for kind in (endpoint.body, endpoint.error_body, *endpoint.answers.values()):
            if kind is not None:
                found[repr(kind)] = kind
    return found.values()


def _operation(endpoint: Endpoint[Any], schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint.method, endpoint.path),
        "summary": endpoint.summary,
        "parameters": [_parameter(endpoint, place) for place in range(len(endpoint.parameters))],
        "responses": _responses(endpoint, schemas),
        "security": [] if endpoint.public else [{"oauth2": _scopes(endpoint)}],
    }
    if endpoint.body is not None:
        schema = schemas[repr(endpoint.body)]
        content = {kind: {"schema": _sent_as(kind, schema)} for kind in endpoint.body_types}
        content |= {kind: {} for kind in endpoint.binary_types}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _sent_as(media: str, schema: dict[str, Any]) -> dict[str, Any]:
    # In a form everything is text, unknown fields too, and nothing is a list.
    return {"allOf": [schema], "additionalProperties": TEXT} if media == FORM else schema


def _operation_id(method: str, path: str) -> str:
    return method.lower() + _PATH_PARAMETER.sub(r"\1", path).replace("/", "-")


def _scopes(endpoint: Endpoint[Any]) -> list[str]:
    return [] if endpoint.scope is None else [str(endpoint.scope)]


def _parameter(endpoint: Endpoint[Any], place: int) -> dict[str, Any]:
    parameter = endpoint.parameters[place]
    in_path = parameter.name in _PATH_PARAMETER.findall(endpoint.path)
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": in_path or parameter.required,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _responses(endpoint: Endpoint[Any], schemas: dict[str, Any]) -> dict[str, Any]:
    always = (500, 503) if endpoint.public else (401, 403, 500, 503)
    of_bodies = () if endpoint.body is None else (400, 408, 413, 415)
    bodies = dict.fromkeys(always, ErrorDocument) | dict.fromkeys(
        (*of_bodies, *endpoint.errors), endpoint.error_body
    )
    responses = {
        str(status): _response(status, kind, schemas, JSON) for status, kind in bodies.items()
    }
    for status, kind in endpoint.answers.items():
        responses[str(status)] = _response(status, kind, schemas, endpoint.answer_type)
    if endpoint.links:
        first = str(next(iter(endpoint.answers)))
        responses[first]["links"] = {link.name: _link(link) for link in endpoint.links}
    return dict(sorted(responses.items()))


def _link(link: Link) -> dict[str, Any]:
    written: dict[str, Any] = {"operationId": _operation_id(link.method, link.path)}
    if link.parameters:
        written["parameters"] = dict(link.parameters)
    if link.body is not None:
        written["requestBody"] = dict(link.body)
    return written


def _response(status: int, kind: Any, schemas: dict[str, Any], media: str) -> dict[str, Any]:
    response: dict[str, Any] = {"description": MEANINGS.get(status) or HTTPStatus(status).phrase}
    if status in HEADERS:
        response["headers"] = HEADERS[status]
    if kind is not None:
        response["content"] = {media: {"schema": schemas[repr(kind)]}}
    return response


class Reference:
    """Answers what there is to ask for."""

    def __init__(self, endpoints: Endpoints, *, version: str) -> None:
        described = document(endpoints, version=version)
        self._document = msgspec.json.format(msgspec.json.encode(described), indent=1)
        self._page = page(described).encode()

    async def openapi(self, _request: Request, _caller: Caller) -> Response:
        """Give the document."""
        headers = {"Cache-Control": "public, max-age=300"}
        return Response(self._document, headers=headers, media_type="application/json")

    async def docs(self, _request: Request, _caller: Caller) -> Response:
        """Give the page."""
        policy = f"default-src 'none'; style-src '{STYLE_HASH}'; frame-ancestors 'none'"
        headers = {"Cache-Control": "public, max-age=300", "Content-Security-Policy": policy}
        return Response(self._page, headers=headers, media_type="text/html")


STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
section { border-top: 1px solid #8884; padding: 1rem 0 }
h2 { font: 600 1.05rem/1.4 ui-monospace, monospace; margin: 0; overflow-wrap: anywhere }
h2 b { color: #b0123f } @media (prefers-color-scheme: dark) { h2 b { color: #ff7a9c } }
p { margin: .25rem 0 } dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem }
dd { margin: 0 } pre { overflow-x: auto; background: #8881; padding: .75rem; border-radius: .4rem }
"""
STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def page(described: dict[str, Any]) -> str:
    """Write the document as one HTML page that needs nothing else."""
    sections = [
        _section(method, path, operation)
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    ]
    types = [
        f"<details><summary>{html.escape(name)}</summary><pre>{html.escape(_pretty(schema))}</pre>"
        "</details>"
        for name, schema in described["components"]["schemas"].items()
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{TITLE} API</title>'
        '<meta name="viewport" content="width=device-width"><style>'
        f"{STYLE}</style><h1>{TITLE} API</h1><p>{DESCRIPTION}</p>"
        '<p><a href="/v1/openapi.json">OpenAPI document</a></p>'
        f"{''.join(sections)}<section><h2>Types</h2>{''.join(types)}</section></html>"
    )


def _section(method: str, path: str, operation: dict[str, Any]) -> str:
    needs = [
        scope or ["any token"] for scheme in operation["security"] for scope in scheme.values()
    ]
    lines = [("needs", needs[0][0] if needs else "nothing")]
    lines += [(given["name"], given["description"]) for given in operation["parameters"]]
    lines += [(status, told["description"]) for status, told in operation["responses"].items()]
    rows = "".join(f"<dt>{html.escape(a)}<dd>{html.escape(b)}" for a, b in lines)
    title = f"<b>{method.upper()}</b> {html.escape(path)}"
    return f"<section><h2>{title}</h2><p>{html.escape(operation['summary'])}</p><dl>{rows}</dl></section>"


def _pretty(schema: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode()


ENDPOINTS: tuple[Endpoint[Reference], ...] = (
    Endpoint(
        "GET",
        "/v1/openapi.json",
        Reference.openapi,
        summary="This document",
        public=True,
        answers={200: dict[str, Any]},
    ),
    Endpoint(
        "GET",
        "/v1/docs",
        Reference.docs,
        summary="This document, to read",
        public=True,
        answers={200: str},
        answer_type="text/html",
    ),
)
