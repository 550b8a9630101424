"""What `/readyz` looks at: each part by itself, so that it says which one is to blame."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from domain.ports import Log
from domain.positions import Generation
from domain.units import SECOND_MS
from heartline.status import AsksStatus, ask
from serve.health import Check, fresh
from stores.listening import Listening


def checks(
    log: Log,
    listening: Listening,
    generation: Generation,
    shards: Callable[[], Awaitable[Mapping[int, AsksStatus]]],
    status: Callable[[], Awaitable[Mapping[str, Any]]],
    *,
    stale_ms: int,
) -> dict[str, Check]:
    """Make the checks: ``shards`` answer, ``log`` and ``store`` can be written, ``rows`` are fresh.

    The store may be away for as long as rows may be stale: the log keeps what comes meanwhile.
    """

    async def answering() -> str | None:
        told = await ask(await shards())
        dead = [str(number) for number, answer in told.items() if answer is None]
        return f"no answer from {', '.join(dead)}" if dead else None

    async def log_written() -> str | None:
        await log.now_ms()  # which SQLite stores
        await log.ends(generation)  # which Kafka is asked for
        return None

    async def store_written() -> str | None:
        await listening.progress(generation.number, 0)
        told = [held for each in (await ask(await shards())).values() for held in each or ()]
        waited_ms = max((int(held["unwritten_ms"]) for held in told), default=0)
        return f"not written for {waited_ms // SECOND_MS} s" if waited_ms > stale_ms else None

    async def staleness_ms() -> int:
        return int((await status())["staleness_ms"])

    return {
        "shards": answering,
        "log": log_written,
        "store": store_written,
        "rows": fresh(staleness_ms, limit_ms=stale_ms),
    }
