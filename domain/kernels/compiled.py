"""How kernels are compiled, and where the compiled code is kept.

Numba looks at one source file to tell whether kept code is stale, but a kernel is made of several,
and of constants from others: so each state of the sources has a directory of its own.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

from numba import config, njit

DOMAIN = Path(__file__).parent.parent
CONSTANTS = ("heartbeats.py", "ids.py", "rows.py", "units.py")  # modules that kernels import


def _cache_directory() -> str:
    digest = hashlib.sha256()
    for source in sorted([*DOMAIN.glob("kernels/*.py"), *(DOMAIN / name for name in CONSTANTS)]):
        digest.update(source.read_bytes())
    beside = DOMAIN / "__pycache__"
    home = Path("~").expanduser() / ".cache" / "heartline"
    base = beside if os.access(beside if beside.exists() else DOMAIN, os.W_OK) else home
    return str(base / f"kernels-{digest.hexdigest()[:16]}")


config.CACHE_DIR = _cache_directory()  # type: ignore[attr-defined]

OPTIONS: dict[str, Any] = {
    "cache": True,
    "nogil": True,
    # Without numba's runtime nothing can be allocated, and no reference is counted: taking an array
    # out of a tuple would cost two atomic operations, which also keep memory accesses apart.
    "_nrt": False,
}
jit = njit(**OPTIONS)
# A call hands over two dozen arrays by value: what the loops call is put into them.
inline = njit(**OPTIONS, forceinline=True)
