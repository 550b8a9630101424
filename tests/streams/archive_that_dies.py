"""An archive that is killed, as by kill -9, at a named point of its first commit."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from heartline.settings import Settings
from heartline.warehouses import open_warehouse
from heartline.wiring import open_log
from stores.warehouse import Warehouse
from streams.archive import Archive


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingArchive(Archive):
    """Dies `before` the commit of the table, or `after` it and before that of the log."""

    def __init__(self, settings: Settings, point: str) -> None:
        warehouse = open_warehouse(settings, make=True)
        super().__init__(open_log(settings), warehouse)
        self._point = point

    def _write(self, *given: Any) -> bool:
        if self._point == "before":
            Warehouse.append = die  # type: ignore[method-assign]
        written = super()._write(*given)
        die()
        return written


if __name__ == "__main__":
    folder, where = sys.argv[1:]
    asyncio.run(DyingArchive(Settings(Path(folder)), where).write_all())
