"""Adding tracks to a playlist, a hundred at a time, and going on where that was interrupted."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from heartline import wiring
from heartline.commands.playlist_api import MOST_ADDED, PlaylistApi, RequestRefused
from heartline.commands.playlist_matching import Advance, Match
from heartline.commands.playlist_outcome import Missing, Outcome
from heartline.terminal import fail

BLAMED = "uris"  # the field that a server blames when it is a track that it does not take


@dataclass(slots=True)
class Adding:
    """What fills one playlist: each request bears a key of its own, so none is done twice."""

    api: PlaylistApi
    outcome: Outcome
    advance: Advance
    run_id: str = field(default_factory=wiring.new_id)
    _requests: int = 0

    async def make(self, description: str, *, public: bool) -> None:
        """Make the playlist."""
        made = await self.api.make(self.outcome.name, description, public=public, key=self._key())
        self.outcome.id, self.outcome.name = made.id, made.name

    async def add_all(self, matches: Sequence[Match]) -> None:
        """Add tracks in their order; those that the server does not take are missing."""
        for at in range(0, len(matches), MOST_ADDED):
            await self._add(matches[at : at + MOST_ADDED])

    async def _add(self, matches: Sequence[Match]) -> None:
        """Add some, or halves of them, down to the one that is refused."""
        try:
            await self.api.add(
                self.outcome.id or "", [each.uri for each in matches], key=self._key()
            )
        except RequestRefused as refused:
            if not refused.field.startswith(BLAMED):
                raise
            if len(matches) > 1:
                half = len(matches) // 2
                await self._add(matches[:half])
                await self._add(matches[half:])
                return
            self.outcome.missing += [
                Missing(one.order, one.track, refused.message) for one in matches
            ]
        else:
            self.outcome.added += len(matches)
        self.advance(len(matches))

    def _key(self) -> str:
        self._requests += 1
        return f"{self.run_id}-{self._requests}"


def behind(matches: Sequence[Match], there: Sequence[str]) -> tuple[list[Match], list[Missing]]:
    """Tell what comes behind the tracks that a playlist has, and what was passed over before them.

    :raises Failure: if it has others.
    """
    passed: list[Missing] = []
    waiting = iter(matches)
    for uri in there:
        for one in waiting:
            if one.uri == uri:
                break
            passed.append(Missing(one.order, one.track, "it was left out before"))
        else:
            fail("the playlist of --into has other tracks than the file: import it without --into")
    return list(waiting), passed
