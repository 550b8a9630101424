"""A consumer's place in its group; importing it brings no Faust along."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Membership:
    """Where a consumer reads, in which group, and as which of its members: a name that outlives it."""

    servers: str
    topic: str
    group: str
    member: str
