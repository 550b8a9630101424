import base64
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import base62
from serve import tokens as module
from serve.tokens import InvalidToken, Tokens, UnusableKey, key_id, load_signing_key
from stores.revocations import ACCESS_TTL_S
from tests.clock import Clock
from tests.serve.world import new_key

KEY = new_key()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(KEY, now_ms=clock)


def claims(clock: Clock, **changes: Any) -> dict[str, Any]:
    now_s = clock() // 1000
    usual = {
        "iss": "heartline",
        "aud": "heartline",
        "sub": "ada",
        "scope": "listener",
        "iat": now_s,
        "exp": now_s + 60,
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def signed(payload: dict[str, Any], *, key: bytes = KEY, kid: str | None = None) -> str:
    private = load_signing_key(key)
    return jwt.encode(payload, private, "EdDSA", headers={"kid": kid or key_id(private)})


def part(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def test_a_token_says_who_may_do_what(tokens: Tokens, clock: Clock) -> None:
    read = tokens.read(tokens.sign("ada", {"operator", "listener"}))

    assert read.listener_id == "ada"
    assert read.scopes == {"listener", "operator"}
    assert read.expires_s == clock() // 1000 + 3600 == clock() // 1000 + ACCESS_TTL_S


def test_a_token_names_its_key_and_algorithm(tokens: Tokens) -> None:
    header = jwt.get_unverified_header(tokens.sign("ada", {"listener"}))

    assert header == {"alg": "EdDSA", "typ": "JWT", "kid": tokens.key_id}


def test_another_replica_with_the_same_key_reads_the_token(tokens: Tokens, clock: Clock) -> None:
    other = Tokens(KEY, now_ms=clock)

    assert other.read(tokens.sign("ada", {"listener"})).listener_id == "ada"


def test_a_token_expires_also_when_it_is_remembered(tokens: Tokens, clock: Clock) -> None:
    token = tokens.sign("ada", {"listener"})
    clock.advance(ACCESS_TTL_S * 1000 - 1)
    assert tokens.read(token).listener_id == "ada"
    clock.advance(1)

    with pytest.raises(InvalidToken, match="expired"):
        tokens.read(token)


def test_only_so_many_tokens_are_remembered(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    made = [tokens.sign(f"listener{number}", {"listener"}) for number in range(5)]

    read = [tokens.read(token).listener_id for token in (*made, *made)]

    assert read == [f"listener{number}" for number in range(5)] * 2
    assert len(tokens._remembered) == 3


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"iss": "somebody"}, id="another-issuer"),
        pytest.param({"aud": "another"}, id="another-audience"),
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"exp": None}, id="without-expiry"),
        pytest.param({"sub": None}, id="without-listener"),
        pytest.param({"iss": None}, id="without-issuer"),
        pytest.param({"aud": None}, id="without-audience"),
        pytest.param({"scope": None}, id="without-scope"),
        pytest.param({"scope": ["operator"]}, id="scope-of-another-type"),
        pytest.param({"exp": "9999999999"}, id="expiry-of-another-type"),
        pytest.param({"exp": 9e99}, id="expiry-as-a-float"),
        pytest.param({"exp": True}, id="expiry-as-a-boolean"),
        pytest.param({"epoch": "0"}, id="epoch-of-another-type"),
        pytest.param({"sid": 1}, id="session-of-another-type"),
    ],
)
def test_a_token_with_wrong_claims_is_refused(
    tokens: Tokens, clock: Clock, changes: dict[str, Any]
) -> None:
    with pytest.raises(InvalidToken):
        tokens.read(signed(claims(clock, **changes)))


def test_a_token_whose_claims_are_right_is_taken(tokens: Tokens, clock: Clock) -> None:
    assert tokens.read(signed(claims(clock))).listener_id == "ada"


def test_a_token_of_another_key_is_refused_even_under_our_keys_name(
    tokens: Tokens, clock: Clock
) -> None:
    forged = signed(claims(clock), key=new_key(), kid=tokens.key_id)

    with pytest.raises(InvalidToken):
        tokens.read(forged)


def test_a_token_under_another_keys_name_is_refused(tokens: Tokens, clock: Clock) -> None:
    with pytest.raises(InvalidToken, match="another key"):
        tokens.read(signed(claims(clock), kid="another"))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS256", "ES256", "", None, 1], ids=repr)
def test_a_token_that_chooses_its_own_algorithm_is_refused(
    tokens: Tokens, clock: Clock, alg: object
) -> None:
    header = part({"alg": alg, "typ": "JWT", "kid": tokens.key_id})

    for signature in ("", "AAAA"):
        with pytest.raises(InvalidToken):
            tokens.read(f"{header}.{part(claims(clock))}.{signature}")


def test_a_token_signed_with_the_public_key_as_a_password_is_refused(
    tokens: Tokens, clock: Clock
) -> None:
    public = load_signing_key(KEY).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    forged = jwt.encode(claims(clock), public, "HS256", headers={"kid": tokens.key_id})

    with pytest.raises(InvalidToken):
        tokens.read(forged)


@pytest.mark.parametrize("place", range(3), ids=["header", "claims", "signature"])
def test_a_token_changed_in_any_part_is_refused(tokens: Tokens, place: int) -> None:
    parts = tokens.sign("ada", {"listener"}).split(".")
    parts[place] = parts[place][:-4] + ("AAAA" if parts[place][-4:] != "AAAA" else "BBBB")

    with pytest.raises(InvalidToken):
        tokens.read(".".join(parts))


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "\x00", "\ud800.a.b", "x" * 5000, "é.é.é"]
)
def test_what_is_no_token_is_refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(InvalidToken):
        tokens.read(token)


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    with pytest.raises(InvalidToken):
        Tokens(KEY, now_ms=Clock()).read(text)


def test_the_key_is_named_by_its_thumbprint() -> None:
    """The example of RFC 8037, appendix A.3."""
    raw = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    private = Ed25519PrivateKey.from_private_bytes(raw)

    assert key_id(private) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize(
    "pem",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a key", id="text"),
        pytest.param(KEY[: len(KEY) // 2], id="half"),
        pytest.param(
            RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), id="rsa"
        ),
        pytest.param(
            load_signing_key(KEY).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
            ),
            id="encrypted",
        ),
    ],
)
def test_what_is_no_signing_key_is_refused(pem: bytes) -> None:
    with pytest.raises(UnusableKey):
        Tokens(pem, now_ms=Clock())


def test_ids_of_accounts_fit_into_a_token(tokens: Tokens) -> None:
    name = base62(bytes(range(16)))

    assert tokens.read(tokens.sign(name, {"listener"})).listener_id == name
