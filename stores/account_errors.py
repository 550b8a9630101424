"""Why an account cannot be made or changed."""

from domain.errors import Refused, Unavailable
from stores.account_names import NAME_CHARACTERS


class NameTaken(Refused):
    """Raised when somebody has the name, or one that reads the same."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"the name is taken: {self.name[:NAME_CHARACTERS]!r}"


class NoAccount(Refused):
    """Raised when the account that should change is gone."""

    def __init__(self, listener_id: str) -> None:
        super().__init__(listener_id)
        self.listener_id = listener_id

    def __str__(self) -> str:
        return f"no account: {self.listener_id[:NAME_CHARACTERS]!r}"


class WrongPassword(Refused):
    """Raised when a password should change and the one given is not the account's."""

    def __str__(self) -> str:
        return "is not the account's password"


class Contended(Unavailable):
    """Raised when others kept changing an account while it was to be changed."""

    def __init__(self, listener_id: str) -> None:
        super().__init__(listener_id)
        self.listener_id = listener_id

    def __str__(self) -> str:
        return "the account is being changed elsewhere, try again"
