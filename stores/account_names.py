"""What an account may be called, and which names are the same."""

import re
import unicodedata

from domain.errors import Refused
from domain.ids import is_text

NAME_CHARACTERS = 64
DISPLAY_NAME_BYTES = 256

# Control characters, surrogates, invisible ones, line ends, not assigned: names must not look alike.
_NOT_IN_NAMES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# What else nobody sees: Default_Ignorable_Code_Point without what the categories above refuse.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


class InvalidAccount(Refused):
    """Raised when an account cannot have that name, password, display name or time zone."""

    def __init__(self, field: str, wants: str) -> None:
        super().__init__(field, wants)
        self.field, self.wants = field, wants

    def __str__(self) -> str:
        return f"{self.field}: {self.wants}"


def name_key(name: str) -> str:
    """Fold a name into what is unique: two names that read the same fold into one.

    :raises InvalidAccount: if no account can have that name.
    """
    if not 1 <= len(name) <= NAME_CHARACTERS:
        raise InvalidAccount("name", f"wants 1 to {NAME_CHARACTERS} characters")
    if name != name.strip() or any(unicodedata.category(c) in _NOT_IN_NAMES for c in name):
        raise InvalidAccount("name", "wants no control characters, and no space at either end")
    # The Unicode Standard, D146 (compatibility caseless matching); once is not enough.
    folded = unicodedata.normalize("NFD", _INVISIBLE.sub("", name)).casefold()
    folded = unicodedata.normalize("NFKD", folded).casefold()
    folded = unicodedata.normalize("NFKC", folded)
    if not folded.strip():
        raise InvalidAccount("name", "wants something that can be seen")
    return folded


def check_display_name(display_name: str) -> str:
    """Take a display name as it is.

    :raises InvalidAccount: if it is empty, too long, or has control characters.
    """
    if not display_name.strip() or not is_text(display_name, DISPLAY_NAME_BYTES):
        wants = f"wants 1 to {DISPLAY_NAME_BYTES} bytes without control characters"
        raise InvalidAccount("display_name", wants)
    return display_name
