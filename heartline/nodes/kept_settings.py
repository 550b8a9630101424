"""The settings that a cluster was started with, kept in Ray's key-value store for whoever joins later.

They may hold passwords, as the actors' own arguments do: Ray's token guards both.
"""

import json

from ray.experimental.internal_kv import _internal_kv_get, _internal_kv_put

from actors.ray_assignment import NAMESPACE
from heartline.settings import Settings

KEY = b"settings"


def keep_settings(settings: Settings) -> None:
    """Have everything that begins on this cluster from now on begin with *settings*."""
    _internal_kv_put(KEY, json.dumps(settings.plain()).encode(), namespace=NAMESPACE)


def kept_settings() -> Settings | None:
    """Tell the settings that the cluster was started with; None where it never was."""
    document = _internal_kv_get(KEY, namespace=NAMESPACE)
    return Settings.of_plain(json.loads(document)) if document else None
