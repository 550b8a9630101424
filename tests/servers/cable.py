"""A cable between clients and a server, for a while or for good: it can be cut and torn out.

Frozen, it carries nothing and keeps every connection, with both of its ends alive; woken, it carries on
with what was under way. Killed, every connection is lost, in the middle of whatever it carried.
"""

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers import answers
from tests.servers.place import Place

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Cable:
    """A process that listens on one port and carries everything to another and back."""

    name: str
    port: int
    target: int
    variable: str = ""

    @property
    def ports(self) -> Mapping[str, int]:
        """The one that clients are told."""
        return {"port": self.port}

    def install(self, programs: Path) -> None:
        """Nothing: it is this module."""

    def command(self, place: Place) -> list[str]:
        """Tell how to start it."""
        ends = [str(place.port), str(self.target), str(place.home)]
        return [sys.executable, "-m", "tests.servers.cable", *ends]

    def environment(self, place: Place) -> dict[str, str]:
        """Where this module is found."""
        return {"PYTHONPATH": str(ROOT)}

    def answers(self, port: int) -> bool:
        """Whether it takes connections."""
        return answers.tcp_answers(port)

    def settings(self, place: Place) -> dict[str, str]:
        """None of its own: those of the server, with another port."""
        return {}


async def carry(port: int, target: int) -> None:
    """Carry what comes to *port* to *target*, and back, until cancelled."""

    async def plug(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(HOST, target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, back), _copy(there, writer))

    async with await asyncio.start_server(plug, HOST, port) as server:
        await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(carry(int(sys.argv[1]), int(sys.argv[2])))
