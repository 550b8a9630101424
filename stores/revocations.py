"""Which access tokens of an account are worth nothing any more, though they have not expired."""

import msgspec
from msgspec import Struct, field

ACCESS_TTL_S = 3600  # of a token that belongs to a session
SLACK_S = 60  # a token may be signed a moment after its session ended
MOST_SESSIONS = 64


class Revocations(Struct, frozen=True):
    """What an account keeps of that: tokens are of its *epoch*, and of no session that has ended."""

    epoch: int = 0
    sessions: dict[str, int] = field(default_factory=dict)  # when each ended, seconds since 1970

    def cover(self, epoch: int, session: str) -> bool:
        """Whether a token of that epoch and session is worth nothing."""
        return epoch != self.epoch or session in self.sessions

    def of_everything(self) -> "Revocations":
        """Revoke every token that there is."""
        return Revocations(self.epoch + 1)

    def of_session(self, session: str, now_s: int) -> "Revocations":
        """Revoke the tokens of a session; of everything, if more ended lately than are kept."""
        kept_s = ACCESS_TTL_S + SLACK_S
        lately = {name: at for name, at in self.sessions.items() if now_s - at < kept_s}
        if len(lately) >= MOST_SESSIONS:
            return self.of_everything()
        return msgspec.structs.replace(self, sessions=lately | {session: now_s})
