"""Redis, as Debian packages it."""

from pathlib import Path
from typing import ClassVar

from tests.servers import answers
from tests.servers.place import Place
from tests.servers.programs import program


class Redis:
    """Presence."""

    name = "redis"
    variable = "HEARTLINE_PRESENCE"
    ports: ClassVar = {"port": 26379}

    def install(self, programs: Path) -> None:
        """Have Debian's package."""
        program("redis-server", "redis-server")

    def command(self, place: Place) -> list[str]:
        """Configure it; tells how to start it."""
        return [
            str(program("redis-server", "redis-server")),
            str(place.configured("redis.conf")),
        ]

    def environment(self, place: Place) -> dict[str, str]:
        """Nothing that its configuration does not say."""
        return {}

    def answers(self, port: int) -> bool:
        """Whether it says PONG."""
        return answers.redis_answers(port)

    def settings(self, place: Place) -> dict[str, str]:
        """Tell the settings that point Heartline here."""
        return {self.variable: f"redis://127.0.0.1:{place.port}/0"}
