"""The id of each request: the client's if it is well formed, else one of ours; logs carry it along."""

import os
import re
from collections.abc import Iterable
from contextvars import ContextVar
from itertools import count
from secrets import token_hex

HEADER = b"x-request-id"
current: ContextVar[str] = ContextVar("request_id", default="")

_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_process = token_hex(6)  # a random start and a number: an id each costs a tenth of a random one
_numbers = count()


def _begin_anew() -> None:
    global _process  # noqa: PLW0603
    _process = token_hex(6)


os.register_at_fork(after_in_child=_begin_anew)


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Tell the id of the request that has *headers*."""
    for name, value in headers:
        if name == HEADER:
            if _WELL_FORMED.fullmatch(value):
                return value.decode()
            break
    return f"{_process}-{next(_numbers):x}"
