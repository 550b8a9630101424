"""Where one server has its files, and which ports it has."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

CONFIGURATION = Path(__file__).parent / "configuration"


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one server, the folder that all programs lie in, and its ports by name."""

    home: Path
    programs: Path
    ports: Mapping[str, int]

    @property
    def port(self) -> int:
        """The port that clients use."""
        return self.ports["port"]

    @property
    def data(self) -> Path:
        """The folder of what the server stores, made if it is not there."""
        data = self.home / "data"
        data.mkdir(parents=True, exist_ok=True)
        return data

    def configured(self, name: str, **more: object) -> Path:
        """Write our configuration file *name* with this place's folder and ports, and *more*, filled in."""
        written = self.home / name
        template = Template((CONFIGURATION / name).read_text())
        written.write_text(template.substitute(self.ports, data=self.data, **more))
        return written

    def secret(self) -> str:
        """Tell this server's password, made when it is first asked for."""
        kept = self.home / "secret"
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_hex(20))
        return kept.read_text()
