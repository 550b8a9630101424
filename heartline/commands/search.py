"""`heartline search` and `heartline search check`."""

import argparse
import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from msgspec import to_builtins
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from starlette.requests import Request

from domain.catalogue import EntityKind
from domain.ports import Tables
from domain.queries import parse
from domain.ranking import Ranked, Taste, order, weights_of
from domain.search import SearchIndex
from heartline import wiring
from heartline.searching import catch_up, entry_maker, open_index, open_writer
from heartline.settings import Settings
from heartline.supervisor import running_url
from heartline.terminal import Failure, fail, note, say, say_json
from serve.auth import Caller
from serve.endpoints import routes
from serve.frame import application
from serve.paging import LIMITS
from serve.search import CANDIDATES, TYPES, Search
from serve.search_endpoints import ENDPOINTS
from stores.accounts import Scope
from stores.catalogue import Catalogue
from streams.index_check import AGAIN_S, Difference, IndexCheck

CHECK = ["check"]
WRONG_USAGE = 2
SHOWN = 20  # differences
ID_CHARACTERS = 22  # in base 62


def run(options: argparse.Namespace) -> int:
    """Search, or check the index."""
    settings = wiring.settings(options.data)
    if options.query is None and options.words == CHECK:
        return asyncio.run(_check(settings, repair=options.repair, as_json=options.json))
    text = " ".join(options.words) if options.query is None else options.query
    if not text.strip():
        fail("say what is searched for", WRONG_USAGE)
    if options.limit not in LIMITS:
        fail(f"--limit wants a number from {LIMITS[0]} to {LIMITS[-1]}", WRONG_USAGE)
    asyncio.run(_search(settings, text, _types(options.type), options))
    return 0


def _types(said: str | None) -> list[str]:
    types = [each.strip() for each in said.split(",")] if said else list(map(str, EntityKind))
    if not set(types) <= set(TYPES):
        wants = f"--type wants some of {', '.join(TYPES)}, separated by commas"
        raise Failure(wants, WRONG_USAGE)
    return types


async def _search(
    settings: Settings, text: str, types: Sequence[str], options: argparse.Namespace
) -> None:
    kinds = [kind for kind in EntityKind if kind in types]
    async with wiring.store(settings) as tables:
        await _catch_up(settings, tables)
        index = open_index(settings)
        try:
            ranked = await _ranked(index, settings, text, kinds)
            if ranked and not options.json:
                shown = _best(ranked, kinds, options.limit)
                Console(highlight=False).print(_picture(shown, explain=options.explain))
                return
            document = await _answered(
                _door(index, Catalogue(tables), settings),
                {"q": text, "type": ",".join(types), "limit": str(options.limit)},
            )
        finally:
            await index.close()
    if not options.json:
        say(_nothing(document["did_you_mean"]))
        return
    if options.explain:
        document["explained"] = [_explained(one) for one in _best(ranked, kinds, options.limit)]
    say_json(document)


async def _catch_up(settings: Settings, tables: Tables) -> None:
    """Do what `up` does; who writes an index on servers may run anywhere, and is let be."""
    if not settings.search and running_url(settings.data) is None:
        await catch_up(settings, tables)


async def _ranked(
    index: SearchIndex, settings: Settings, text: str, kinds: Sequence[EntityKind]
) -> list[Ranked]:
    query, now_ms = parse(text), wiring.now_ms()
    candidates = await index.propose(query, kinds, now_ms=now_ms, limit=CANDIDATES)
    return order(query, candidates, weights=weights_of(settings.search_weights), now_ms=now_ms)


def _best(ranked: Sequence[Ranked], kinds: Sequence[EntityKind], limit: int) -> list[Ranked]:
    """Take so many of each kind, in the order of all."""
    of_kind = {kind: [one for one in ranked if one.entry.kind is kind][:limit] for kind in kinds}
    return [one for one in ranked if one in of_kind[one.entry.kind]]


def _nothing(meant: str | None) -> str:
    return f"nothing is found; did you mean {meant!r}?" if meant else "nothing is found"


def _picture(ranked: Sequence[Ranked], *, explain: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("name · artists · album", overflow="fold")
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("id", overflow="fold", min_width=ID_CHARACTERS)  # to be copied, so never cut
    for one in ranked:
        entry = one.entry
        names = filter(None, (entry.name, ", ".join(entry.artists), entry.album))
        told = escape(" · ".join(names))
        if explain:
            told += "\n" + " · ".join(f"{name} {part:.3f}" for name, part in one.parts.items())
        table.add_row(str(entry.kind), told, f"{one.score:.3f}", escape(entry.id))
    return table


def _explained(one: Ranked) -> dict[str, Any]:
    return {"type": one.entry.kind, "id": one.entry.id, "score": one.score, "parts": one.parts}


def _door(index: SearchIndex, catalogue: Catalogue, settings: Settings) -> Search:
    async def no_taste(_listener_id: str) -> Taste:
        return Taste()

    return Search(
        index,
        catalogue,
        no_taste,
        now_ms=wiring.now_ms,
        weights=weights_of(settings.search_weights),
    )


async def _answered(door: Search, asked: dict[str, str]) -> dict[str, Any]:
    """Tell what the endpoint answers, without a server."""

    async def anybody(_request: Request) -> Caller:
        return Caller("", frozenset({Scope.LISTENER}))

    app = application(routes(ENDPOINTS, door, anybody))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/v1/search", params=asked)
    document: dict[str, Any] = answer.json()
    if not answer.is_success:
        fail(document["error"]["message"])
    return document


async def _check(settings: Settings, *, repair: bool, as_json: bool) -> int:
    async with wiring.store(settings) as tables:
        await _catch_up(settings, tables)
        writer = open_writer(settings)
        try:
            check = IndexCheck(entry_maker(tables), writer)
            again_s = AGAIN_S if settings.search or running_url(settings.data) else 0.0
            found = await check.differences(again_s=again_s)
            if found and repair:
                await check.repair(found)
        finally:
            await writer.close()
    if as_json:
        say_json({"differences": to_builtins(found), "repaired": repair and bool(found)})
    else:
        _tell(found, repaired=repair)
    return 1 if found and not repair else 0


def _tell(found: Sequence[Difference], *, repaired: bool) -> None:
    for each in found[:SHOWN]:
        say(f"{each.kind} {each.id}: {each.what}")
    if len(found) > SHOWN:
        say(f"and {len(found) - SHOWN} more")
    if not found:
        say("the search index and the catalogue agree")
    elif repaired:
        note("the index is like the catalogue again")
    else:
        note("`heartline search check --repair` makes the index like the catalogue")
