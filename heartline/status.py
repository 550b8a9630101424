"""How Heartline is: shards, lag, staleness, rows waiting, as one document."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from actors.partition import GROUP
from domain.errors import Unavailable
from domain.ports import Log
from domain.positions import Generation
from stores.listening import Listening

ANSWER_S = 2.0


class AsksStatus(Protocol):
    """A shard, as far as asked here."""

    async def status(self) -> list[dict[str, Any]]:
        """Tell how far each of its partitions is."""
        ...


async def status_of(
    log: Log, listening: Listening, generation: Generation, shards: Sequence[AsksStatus]
) -> dict[str, Any]:
    """Observe everything; without *shards*, what the files tell.

    ``lag`` counts records that no shard has applied, ``waiting`` those not yet durable in rows;
    ``staleness_ms`` is the age of what readers see, ``rows_waiting`` the rows to be written.
    """
    told = await asyncio.gather(*(_ask(shard) for shard in shards))
    held = {each["partition"]: each for answer in told for each in answer or ()}
    ends, committed = await log.ends(generation), await log.committed(GROUP, generation)
    now_ms = await log.now_ms()
    partitions: list[dict[str, Any]] = []
    for number, (end, durable) in enumerate(zip(ends, committed, strict=True)):
        complete_ms = await listening.progress_ms(generation.number, number)
        of_shard = held.get(number, {})
        partitions.append(
            {
                "partition": number,
                "end": end,
                "committed": durable,
                "lag": max(0, end - int(of_shard.get("next", durable))),
                "waiting": end - durable,
                "staleness_ms": _staleness(complete_ms, now_ms, waiting=end - durable),
                "listeners": int(of_shard.get("listeners", 0)),
                "rows_waiting": int(of_shard.get("dirty", 0)),
                "trouble": str(of_shard.get("trouble", "")),
            }
        )
    return {
        "running": bool(shards),
        "generation": generation.number,
        "shards": [
            {
                "shard": number,
                "alive": answer is not None,
                "partitions": [each["partition"] for each in answer or ()],
                "listeners": sum(each["listeners"] for each in answer or ()),
                "rows_waiting": sum(each["dirty"] for each in answer or ()),
            }
            for number, answer in enumerate(told)
        ],
        "partitions": partitions,
        "lag": sum(each["lag"] for each in partitions),
        "waiting": sum(each["waiting"] for each in partitions),
        "staleness_ms": max(each["staleness_ms"] for each in partitions),
        "rows_waiting": sum(each["rows_waiting"] for each in partitions),
    }


def _staleness(complete_ms: int, now_ms: int, *, waiting: int) -> int:
    """Nothing was ever appended: nothing can be stale."""
    return max(0, now_ms - complete_ms) if complete_ms or waiting else 0


async def _ask(shard: AsksStatus) -> list[dict[str, Any]] | None:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await shard.status()
    except (Unavailable, TimeoutError):
        return None
