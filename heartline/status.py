"""How Heartline is: shards, lag, staleness, rows waiting, as one document."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from domain.errors import Unavailable
from domain.ports import Log
from domain.positions import SHARDS, Generation
from stores.listening import Listening

ANSWER_S = 2.0


class AsksStatus(Protocol):
    """A shard, as far as asked here."""

    async def status(self) -> list[dict[str, Any]]:
        """Tell how far each of its partitions is."""
        ...


async def status_of(
    log: Log,
    listening: Listening,
    generation: Generation,
    shards: Mapping[int, AsksStatus],
    *,
    now_ms: Callable[[], int],
    stale_ms: int,
) -> dict[str, Any]:
    """Observe everything, writing nothing; without *shards*, what the files tell.

    ``lag`` counts records that no shard has applied, ``lag_ms`` is the age of what they have applied,
    ``waiting`` counts records not yet durable in rows;
    ``staleness_ms`` is the age of what readers see, ``rows_waiting`` the rows to be written,
    ``unwritten_ms`` for how long a shard has been trying to write them; ``presence`` what keeps
    shards from announcing who plays what.
    """
    told = await ask(shards)
    held = {each["partition"]: each for answer in told.values() for each in answer or ()}
    ends, committed = await log.ends(generation), await log.committed(SHARDS, generation)
    progress = await listening.progress_of(generation.number, range(len(ends)))
    partitions = [
        _of_partition(number, end, wanted, each.complete_ms, held.get(number, {}), now_ms=now_ms())
        for number, (end, wanted, each) in enumerate(zip(ends, committed, progress, strict=True))
    ]
    staleness_ms = max(each["staleness_ms"] for each in partitions)
    return {
        "running": bool(shards),
        "generation": generation.number,
        "shards": [_of_shard(number, answer) for number, answer in told.items()],
        "partitions": partitions,
        "lag": sum(each["lag"] for each in partitions),
        "waiting": sum(each["waiting"] for each in partitions),
        "staleness_ms": staleness_ms,
        "unwritten_ms": max(each["unwritten_ms"] for each in partitions),
        "stale": staleness_ms > stale_ms,
        "rows_waiting": sum(each["rows_waiting"] for each in partitions),
        "presence": next(filter(None, (each.get("presence") for each in held.values())), ""),
    }


async def ask(shards: Mapping[int, AsksStatus]) -> dict[int, list[dict[str, Any]] | None]:
    """Ask all *shards*, by their numbers, at once; None for one that does not answer."""
    answers = await asyncio.gather(*(_ask(shard) for shard in shards.values()))
    return dict(zip(shards, answers, strict=True))


async def _ask(shard: AsksStatus) -> list[dict[str, Any]] | None:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await shard.status()
    except (Unavailable, TimeoutError):
        return None


def _of_partition(
    number: int,
    end: int,
    committed: int,
    complete_ms: int,
    of_shard: Mapping[str, Any],
    *,
    now_ms: int,
) -> dict[str, Any]:
    unwritten_ms = int(of_shard.get("unwritten_ms", 0))
    age_ms = max(now_ms - complete_ms, unwritten_ms)
    applied_ms = max(complete_ms, int(of_shard.get("complete_ms", 0)))
    begun = bool(complete_ms or end > committed)  # else nothing can be stale
    return {
        "partition": number,
        "end": end,
        "committed": committed,
        "lag": max(0, end - int(of_shard.get("next", committed))),
        "lag_ms": max(0, now_ms - applied_ms) if begun else 0,
        "waiting": end - committed,
        "staleness_ms": age_ms if begun else 0,
        "unwritten_ms": unwritten_ms,
        "listeners": int(of_shard.get("listeners", 0)),
        "rows_waiting": int(of_shard.get("dirty", 0)),
        "trouble": str(of_shard.get("trouble", "")),
    }


def _of_shard(number: int, answer: list[dict[str, Any]] | None) -> dict[str, Any]:
    held = answer or []
    return {
        "shard": number,
        "alive": answer is not None,
        "partitions": [each["partition"] for each in held],
        "listeners": sum(each["listeners"] for each in held),
        "rows_waiting": sum(each["dirty"] for each in held),
    }
