"""Who tells who plays what now, and whom the shards tell it: Redis, or nobody but themselves."""

import random
from typing import TYPE_CHECKING

from actors.announcer import Announcer
from actors.ray_assignment import RayAssignment
from actors.shard_handles import FoundShards
from actors.shard_metrics import ShardMetrics
from actors.shard_presence import ShardPresence
from domain.ports import Presence
from heartline.settings import Settings
from heartline.wiring import now_ms

if TYPE_CHECKING:
    from stores.redis_presence import RedisPresence

_jitter = random.SystemRandom().random


def presence_of(settings: Settings, partitions: int) -> Presence:
    """Make what tells who plays what now: from Redis, or from the shards of the cluster."""
    if settings.presence:
        return _redis(settings)
    return ShardPresence(RayAssignment().current, FoundShards(), partitions)


def announcer_of(settings: Settings, metrics: ShardMetrics) -> Announcer | None:
    """Make what a shard tells presence to; None where the shard itself is asked."""
    if not settings.presence:
        return None
    return Announcer(_redis(settings), jitter=_jitter, metrics=metrics)


def _redis(settings: Settings) -> "RedisPresence":
    from stores.redis_presence import RedisPresence

    return RedisPresence(settings.presence, now_ms=now_ms, jitter=_jitter)
