"""Real catalogues, which are no part of the project: they lie beside it, or the tests skip."""

from pathlib import Path

import pytest

REAL = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def real(name: str) -> Path:
    """Tell where a file or folder of real data is; the test skips where it is not."""
    path = REAL / name
    if not path.exists():
        pytest.skip(f"there is no {path}")
    return path
