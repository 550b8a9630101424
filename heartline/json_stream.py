"""JSON values one after another out of a text of any length, in bounded memory."""

import json
import re
from collections.abc import Iterator
from typing import TextIO

CHUNK = 1 << 20
MOST_VALUE = 64 << 20  # characters; an API page of 1 000 listens is about 2 million

_NOT_SPACE = re.compile(r"\S")
_decode = json.JSONDecoder().raw_decode


class DamagedJson(Exception):
    """Raised when a text is not JSON, or ends too early."""


class JsonStream:
    """A text of JSON values, read as it is needed."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._held = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """Tell the next character that is not white space; "" at the end."""
        while True:
            found = _NOT_SPACE.search(self._held, self._at)
            self._at = found.start() if found else len(self._held)
            if found or not self._more():
                return self._held[self._at : self._at + 1]

    def value(self) -> object:
        """Decode the next value."""
        self.peek()
        while True:
            try:
                value, self._at = _decode(self._held, self._at)
            except RecursionError:
                raise DamagedJson("is nested too deep") from None
            except ValueError as error:
                if len(self._held) - self._at > MOST_VALUE or not self._more():
                    problem = "ends in the middle" if self._ended_early(error) else "is not JSON"
                    raise DamagedJson(problem) from None
            else:
                return value

    def items(self) -> Iterator[object]:
        """Decode the items of the array that comes next, one by one."""
        self._expect("[")
        if self.peek() != "]":
            yield self.value()
            while self.peek() == ",":
                self._at += 1
                yield self.value()
        self._expect("]")

    def lines(self, *, most: int) -> Iterator[str]:
        """Give the lines of a text that is not JSON; none may have more than *most* characters."""
        while True:
            end = self._held.find("\n", self._at)
            if end < 0 and len(self._held) - self._at <= most and self._more():
                continue
            end = len(self._held) if end < 0 else end
            if end - self._at > most:
                raise DamagedJson(f"has a line of more than {most} characters")
            line, self._at = self._held[self._at : end], end + 1
            if not line and self._at > len(self._held):
                return
            yield line

    def _expect(self, character: str) -> None:
        found = self.peek()
        if not found:
            raise DamagedJson("ends in the middle")
        if found != character:
            raise DamagedJson(f"is not JSON ({character!r} expected, {found!r} found)")
        self._at += 1

    def _more(self) -> bool:
        """Read on, doubling what is held, so that a long value is not decoded too often."""
        held = self._held[self._at :]
        read = "" if self._ended else self._text.read(max(CHUNK, len(held)))
        self._held, self._at, self._ended = held + read, 0, not read
        return bool(read)

    def _ended_early(self, error: ValueError) -> bool:
        """Whether the decoder only missed what would have come next."""
        at = error.pos if isinstance(error, json.JSONDecodeError) else 0
        unclosed = str(error).startswith("Unterminated")
        return unclosed or at >= len(self._held.rstrip())
