"""Reading what a client sent: bodies of bounded size, and values that are refused by name."""

import asyncio
import re
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from serve.errors import ApiError, invalid

T = TypeVar("T")

MOST_BODY_BYTES = 1 << 20
MOST_FORM_FIELDS = 32
BODY_TIMEOUT_S = 30.0
IPV6_NETWORK_BITS = 64
JSON_TYPE = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json")
FORM_TYPE = re.compile(r"application/x-www-form-urlencoded")

_PLACE = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")
_NAMED = re.compile(r"field `([^`]*)`")
_NUMBER = re.compile(r"-?[0-9]{1,18}")


async def read_body(
    request: Request,
    *,
    most_bytes: int = MOST_BODY_BYTES,
    arriving: Callable[[int], None] = lambda _: None,
) -> bytes:
    """Read a body, whether or not its length was announced; *arriving* is told of its bytes.

    :raises ApiError: 413, as soon as it is longer than *most_bytes*; 408, if it does not arrive.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > most_bytes:
        raise _too_large(most_bytes)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _read(request, most_bytes, arriving)
    except TimeoutError as error:
        message = f"the body did not arrive within {BODY_TIMEOUT_S:g} s"
        raise ApiError(408, message, "request_timeout", headers={"Connection": "close"}) from error


async def _read(request: Request, most_bytes: int, arriving: Callable[[int], None]) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(most_bytes)
        arriving(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(most_bytes: int) -> ApiError:
    # The connection stays: closing it with bytes unread resets it, and the client, who is sending
    # still, would never see this answer. The server throws away what is left of the body.
    return ApiError(413, f"the body is larger than {most_bytes} bytes", "too_large")


def check_type(request: Request, accepted: re.Pattern[str], wanted: str) -> None:
    """Refuse a body of another type; one without a type is taken for the wanted one.

    :raises ApiError: 415.
    """
    given = request.headers.get("content-type", wanted)
    if accepted.fullmatch(given.partition(";")[0].strip().lower()) is None:
        raise ApiError(415, f"the body must be {wanted}", "unsupported_media_type")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ApiError(415, "the body must not be compressed", "unsupported_media_type")


async def json_body(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """Read a JSON body of the decoder's type.

    :raises ApiError: 400 if it is not JSON, 413, 415, 422 if a value is wrong, naming the field.
    """
    check_type(request, JSON_TYPE, "application/json")
    return decode(await read_body(request), decoder)


def decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a JSON body.

    :raises ApiError: 400 if it is not JSON, 422 if a value is wrong, naming the field.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        _check_is_json(body)  # the first wrong value may come before where the JSON ends early
        raise _wrong_value(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error) from error


def _check_is_json(body: bytes) -> None:
    try:
        body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error) from error


def _malformed(error: Exception) -> ApiError:
    detail = "too deep" if isinstance(error, RecursionError) else str(error)
    return ApiError(400, f"not JSON in UTF-8: {detail}", "malformed")


def _wrong_value(message: str) -> ApiError:
    place, named = _PLACE.search(message), _NAMED.search(message)
    field = place[1] if place else ""
    if named:
        field = f"{field}.{named[1]}" if field else named[1]
    if not field:
        return ApiError(422, message, "invalid")
    return invalid(field[:128], _PLACE.sub("", message)[:256])


async def form_body(request: Request) -> dict[str, str]:
    """Read a form; a field without a value counts as left out (RFC 6749, section 3.2).

    :raises ApiError: 400 if it is not a form or has a field twice, 413, 415.
    """
    check_type(request, FORM_TYPE, "application/x-www-form-urlencoded")
    body = await read_body(request)
    try:
        pairs = parse_qsl(body.decode(), errors="strict", max_num_fields=MOST_FORM_FIELDS)
    except ValueError as error:
        raise ApiError(400, "not a form in UTF-8", "malformed") from error
    form = dict(pairs)
    if len(form) < len(pairs):
        raise ApiError(400, "a field is given twice", "malformed")
    return form


def query_text(request: Request, name: str) -> str | None:
    """Take a query parameter, None if it is not there.

    :raises ApiError: 422, if it is there more than once.
    """
    if not request.scope["query_string"]:
        return None  # the usual request, without the price of parsing nothing
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise invalid(name, "given more than once")
    return values[0] if values else None


def query_number(request: Request, name: str, *, default: int, bounds: range) -> int:
    """Take a query parameter that is a whole number within *bounds*.

    :raises ApiError: 422, if it is not.
    """
    text = query_text(request, name)
    if text is None:
        return default
    if _NUMBER.fullmatch(text) is None or int(text) not in bounds:
        raise invalid(name, f"wants a whole number from {bounds[0]} to {bounds[-1]}")
    return int(text)


def client_address(request: Request) -> str:
    """Tell from where a request came: an IPv4 address or an IPv6 network, "" for this machine.

    The front tells it in X-Forwarded-For, where it overwrites what strangers say of themselves.
    """
    told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    try:
        address = ip_address(told or (request.client.host if request.client else ""))
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return ""
    if isinstance(address, IPv6Address):  # whoever has one has the whole network
        return str(ip_network((address, IPV6_NETWORK_BITS), strict=False))
    return str(address)


def base_url(request: Request) -> str:
    """Tell scheme and host as the client used them, without a slash at the end."""
    return str(request.base_url).rstrip("/")
