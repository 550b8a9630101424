"""The applications that Ray Serve runs, made of ports and settings; nothing here reads either."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from domain.positions import Generation
from domain.ranking import Weights
from domain.search import SearchIndex
from serve import (
    accounts,
    catalogue_endpoints,
    health,
    history,
    label_endpoints,
    listening,
    login,
    metrics,
    openapi,
    playlist_endpoints,
    search,
    search_endpoints,
)
from serve.auth import Access
from serve.catalogue import Plays, Shelves
from serve.catalogue_writes import CatalogueWrites
from serve.endpoints import Endpoint, routes
from serve.frame import application
from serve.health import Check
from serve.labels import Labels
from serve.metrics import Exposition, Metrics
from serve.playlist_app import PlaylistParts, playlist_routes
from serve.request_metrics import RequestMetrics
from serve.search_metrics import SearchMetrics
from serve.tastes import Tastes
from serve.tokens import Tokens
from stores.accounts import Accounts
from stores.catalogue import Catalogue
from stores.refresh_families import RefreshFamilies

DESCRIBED: tuple[Endpoint[Any], ...] = (
    *login.ENDPOINTS,
    *accounts.ENDPOINTS,
    *listening.MINE,
    *listening.OF_LISTENERS,
    *history.ENDPOINTS,
    *catalogue_endpoints.ENDPOINTS,
    *label_endpoints.ENDPOINTS,
    *search_endpoints.ENDPOINTS,
    *playlist_endpoints.ENDPOINTS,
    *health.ENDPOINTS,
    *metrics.ENDPOINTS,
    *openapi.ENDPOINTS,
)


class Listened(listening.WeekRows, history.Plays, Plays, Protocol):
    """What is read of `stores.listening.Listening`."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the applications are made of."""

    accounts: Accounts
    families: RefreshFamilies
    tokens: Tokens
    listening: Listened
    catalogue: Catalogue
    index: SearchIndex
    presence: history.Playing
    playlists: PlaylistParts
    generation: Callable[[], Awaitable[Generation]]  # of the log
    erase: Callable[[str], Awaitable[None]]  # a listener, from log and store; may come again
    now_ms: Callable[[], int]
    weights: Weights = field(default_factory=Weights)


def build_listening(parts: Parts, requests: RequestMetrics | None = None) -> Starlette:
    """Make the application at ``/v1/me/listening``: the hot path of reading."""
    access = Access(parts.tokens, parts.accounts)
    mine = routes(listening.MINE, _minutes(parts), access.authenticate)
    return application(mine, requests=requests)


def build_main(
    parts: Parts,
    *,
    writes: CatalogueWrites,
    checks: Mapping[str, Check],
    asides: Mapping[str, Check] = MappingProxyType({}),
    status: Callable[[], Awaitable[Mapping[str, Any]]],
    exposition: Exposition,
    version: str,
    requests: RequestMetrics | None = None,
    searches: SearchMetrics | None = None,
    described: Sequence[Endpoint[Any]] = (),
    extra_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Make the application at ``/``: everything that has none of its own.

    *described* are endpoints of other applications that belong into the OpenAPI document;
    *extra_routes* come last.
    """
    access = Access(parts.tokens, parts.accounts)
    authenticate = access.authenticate
    profiles = accounts.Profiles(
        parts.accounts, parts.families, erase=_eraser(parts), now_ms=parts.now_ms
    )
    logins = login.Login(parts.accounts, parts.families, parts.tokens)
    played = history.History(parts.listening, parts.catalogue, parts.presence, now_ms=parts.now_ms)
    shelves = Shelves(parts.catalogue, parts.listening)
    reference = openapi.Reference((*described, *DESCRIBED), version=version)
    return application(
        [
            *routes(login.ENDPOINTS, logins, authenticate),
            *routes(accounts.ENDPOINTS, profiles, authenticate),
            *routes(listening.OF_LISTENERS, _minutes(parts), authenticate),
            *routes(history.ENDPOINTS, played, authenticate),
            *routes(catalogue_endpoints.ENDPOINTS, shelves, authenticate),
            *routes(label_endpoints.ENDPOINTS, Labels(writes), authenticate),
            *routes(search_endpoints.ENDPOINTS, _search(parts, searches), authenticate),
            *playlist_routes(parts.playlists, access, parts.accounts, parts.catalogue),
            *routes(health.ENDPOINTS, health.Health(checks, status, asides), authenticate),
            *routes(metrics.ENDPOINTS, Metrics(exposition), authenticate),
            *routes(openapi.ENDPOINTS, reference, authenticate),
            *extra_routes,
        ],
        requests=requests,
    )


def _eraser(parts: Parts) -> Callable[[str], Awaitable[None]]:
    async def erase(listener_id: str) -> None:
        await parts.playlists.removal.forget(listener_id)
        await parts.erase(listener_id)

    return erase


def _search(parts: Parts, metrics: SearchMetrics | None) -> search.Search:
    tastes = Tastes(parts.listening, parts.catalogue, now_ms=parts.now_ms)
    return search.Search(
        parts.index,
        parts.catalogue,
        tastes.of,
        now_ms=parts.now_ms,
        weights=parts.weights,
        metrics=metrics,
    )


def _minutes(parts: Parts) -> listening.Minutes:
    return listening.Minutes(
        parts.listening, parts.accounts, generation=parts.generation, now_ms=parts.now_ms
    )
