"""The peer: a handler on bare uvicorn, in a process of its own, without Ray, Serve and HAProxy.

    python -m bench.rig.bare APPLICATION DATA PORT

``listening`` is the very application of Heartline, ``drain`` reads a body and says 202.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from bench.rig.up import free_port
from domain.ports import NowPlaying
from domain.positions import Generation
from heartline import wiring
from heartline.searching import open_index
from serve.app import Parts, build_listening
from stores.catalogue import Catalogue
from stores.refresh_families import RefreshFamilies

START_S = 20.0


@contextmanager
def bare(application: str, data: Path) -> Iterator[str]:
    """Run an application on uvicorn; gives its URL."""
    port = free_port()
    command = [sys.executable, "-m", "bench.rig.bare", application, str(data), str(port)]
    with subprocess.Popen(command) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            _await(url)
            yield url
        finally:
            process.terminate()


def _await(url: str) -> None:
    until = time.monotonic() + START_S
    while True:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


class Nobody:
    """Presence without shards."""

    async def now_playing(self, listener_ids: Sequence[str]) -> list[NowPlaying | None]:
        """Nobody plays."""
        return [None] * len(listener_ids)


def listening(data: Path) -> Any:
    """The application at ``/v1/me/listening``."""
    settings = wiring.settings(data)
    tables = wiring.open_tables(settings)
    records = wiring.open_log(settings)
    generation = Generation(0, settings.partitions)
    rows = wiring.listening(tables, settings)

    async def current() -> Generation:
        return generation

    return build_listening(
        Parts(
            accounts=wiring.accounts(tables),
            families=RefreshFamilies(tables, new_secret=wiring.new_secret),
            tokens=wiring.tokens(data),
            listening=rows,
            catalogue=Catalogue(tables),
            index=open_index(settings),
            presence=Nobody(),
            generation=current,
            erase=wiring.eraser(records, rows, generation),
            now_ms=wiring.now_ms,
        )
    )


async def drain(scope: Any, receive: Any, send: Any) -> None:
    """Read the body and answer: what HTTP itself costs."""
    if scope["type"] != "http":
        return
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


def main() -> None:
    """Serve until terminated."""
    name, data, port = sys.argv[1:]
    app = listening(Path(data)) if name == "listening" else drain
    uvicorn.run(app, port=int(port), log_level="warning", access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
