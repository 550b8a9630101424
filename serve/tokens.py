"""Access tokens: JWTs signed with Ed25519 (RFC 8037), valid for an hour, checked without a store."""

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from domain.errors import HeartlineError
from domain.units import SECOND_MS
from stores.revocations import ACCESS_TTL_S

ALGORITHM = "EdDSA"
MOST_TOKEN_CHARACTERS = 4096
REMEMBERED = 4096  # a signature costs 100 µs to verify, a look-up a tenth of one


class InvalidToken(HeartlineError):
    """Raised when an access token is not one of ours, is damaged, or has expired."""


class UnusableKey(HeartlineError):
    """Raised when the signing key is not an Ed25519 private key in PEM."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says."""

    listener_id: str
    scopes: frozenset[str]
    expires_s: int  # since 1970
    epoch: int = 0  # of the account's revocations
    session: str = ""  # the family of refresh tokens that it came with


class Tokens:
    """Signs and reads access tokens with one key.

    Tokens that were verified are remembered (some thousand of them), so that a client's next
    request does not pay for the signature again; the expiry is looked at every time.
    """

    def __init__(
        self,
        signing_key: bytes,
        *,
        now_ms: Callable[[], int],
        issuer: str = "heartline",
        audience: str = "heartline",
    ) -> None:
        self._private = load_signing_key(signing_key)
        self._public = self._private.public_key()
        self._now_ms, self._issuer, self._audience = now_ms, issuer, audience
        self.key_id = key_id(self._private)
        self._remembered: dict[str, Claims] = {}

    def sign(
        self,
        listener_id: str,
        scopes: Iterable[str],
        *,
        epoch: int = 0,
        session: str = "",
        ttl_s: int = ACCESS_TTL_S,
    ) -> str:
        """Make a token that lets its bearer act as *listener_id* within *scopes*.

        It is worth nothing when the account is of another *epoch*, or the *session* has ended.
        """
        now_s = self._now_ms() // SECOND_MS
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": listener_id,
            "scope": " ".join(sorted(scopes)),
            "iat": now_s,
            "exp": now_s + ttl_s,
            "epoch": epoch,
            "sid": session,
        }
        return jwt.encode(claims, self._private, ALGORITHM, headers={"kid": self.key_id})

    def read(self, token: str) -> Claims:
        """Check a token's signature, issuer, audience and expiry.

        :raises InvalidToken: if any of them does not hold.
        """
        claims = self._remembered.get(token)
        if claims is None:
            claims = self._verify(token)
            self._remember(token, claims)
        if self._now_ms() >= claims.expires_s * SECOND_MS:
            raise InvalidToken("expired")
        return claims

    def _verify(self, token: str) -> Claims:
        if len(token) > MOST_TOKEN_CHARACTERS:
            raise InvalidToken("too long")
        try:
            decoded = jwt.decode_complete(
                token,
                self._public,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "require": ["iss", "aud", "sub", "iat", "exp"],
                    "verify_exp": False,  # by our clock, see `read`
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise InvalidToken(type(error).__name__) from error
        if decoded["header"].get("kid") != self.key_id:
            raise InvalidToken("another key")
        return _claims(decoded["payload"])

    def _remember(self, token: str, claims: Claims) -> None:
        if len(self._remembered) >= REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[token] = claims


def _claims(payload: dict[str, Any]) -> Claims:
    listener_id, scope, session = payload["sub"], payload.get("scope"), payload.get("sid", "")
    numbers = payload["iat"], payload["exp"], payload.get("epoch", 0)
    if not (isinstance(scope, str) and isinstance(listener_id, str) and isinstance(session, str)):
        raise InvalidToken("claims of the wrong type")
    if not all(type(number) is int for number in numbers):
        raise InvalidToken("claims of the wrong type")
    _, expires_s, epoch = numbers
    return Claims(listener_id, frozenset(scope.split()), expires_s, epoch, session)


def load_signing_key(pem: bytes) -> Ed25519PrivateKey:
    """Read an Ed25519 private key.

    :raises UnusableKey: if it is another kind of key, or none.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableKey("not an unencrypted private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnusableKey("not an Ed25519 key")
    return key


def key_id(key: Ed25519PrivateKey) -> str:
    """Name a key by its public half: the thumbprint of RFC 7638 and RFC 8037, appendix A.3."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    members = f'{{"crv":"Ed25519","kty":"OKP","x":"{_base64url(public)}"}}'
    return _base64url(hashlib.sha256(members.encode()).digest())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
