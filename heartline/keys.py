"""What must stay secret, in DATA/secrets: made at the first need, read ever after."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from heartline.terminal import fail

SIGNING_KEY = "token-signing-key.pem"


def signing_key(data: Path, secrets: str = "") -> bytes:
    """Tell the Ed25519 private key (PEM) that access tokens are signed with.

    It is in the directory *secrets* that was given; where none was, it is made in the data directory.

    Raises
    ------
    Failure
        A directory cannot be used, or the one that was given has no key.
    """
    if secrets:
        return _given(Path(secrets) / SIGNING_KEY)
    return secret(data, SIGNING_KEY, _new_signing_key)


def secret(data: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """Read a secret, or make it; whoever comes first decides, and everybody reads the same.

    Raises
    ------
    Failure
        The directory cannot be read or written.
    """
    path = data / "secrets" / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            return path.read_bytes()
        _create(path, make())
        return path.read_bytes()
    except OSError as error:
        fail(f"cannot use {path}: {error.strerror}; let only its owner run heartline")


def _given(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        fail(
            f"cannot read the signing key {path}: {error.strerror}; HEARTLINE_SECRETS names its directory"
        )


def _create(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, whole or not at all, unless somebody else already has."""
    number, name = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()


def _new_signing_key() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
