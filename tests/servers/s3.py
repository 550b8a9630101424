"""versitygw: S3 over a folder, each folder in it a bucket."""

from pathlib import Path
from typing import ClassVar

from tests.servers import answers
from tests.servers.place import Place
from tests.servers.programs import go_program

MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
REGION = "us-east-1"
BUCKET = "heartline"
ACCESS_KEY_ID = "heartline"
HEALTH = "/health"


class S3:
    """Objects."""

    name = "s3"
    variable = "HEARTLINE_OBJECTS"
    ports: ClassVar = {"port": 27070}

    def install(self, programs: Path) -> None:
        """Build it with Go."""
        go_program("versitygw", MODULE, programs)

    def command(self, place: Place) -> list[str]:
        """Make the bucket; tells how to start the server."""
        (place.data / BUCKET).mkdir(exist_ok=True)
        gateway = go_program("versitygw", MODULE, place.programs)
        flags = ["--port", f"127.0.0.1:{place.port}", "--region", REGION, "--health", HEALTH]
        return [str(gateway), *flags, "--keep-alive", "posix", str(place.data)]

    def environment(self, place: Place) -> dict[str, str]:
        """The keys, which a command line would show to everybody."""
        return {"ROOT_ACCESS_KEY_ID": ACCESS_KEY_ID, "ROOT_SECRET_ACCESS_KEY": place.secret()}

    def answers(self, port: int) -> bool:
        """Whether it says that it is well."""
        return answers.http_answers(port, HEALTH)

    def settings(self, place: Place) -> dict[str, str]:
        """Tell the settings that point Heartline here, and the keys."""
        return {
            self.variable: f"s3://{BUCKET}?endpoint=http://127.0.0.1:{place.port}",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": place.secret(),
            "AWS_REGION": REGION,
        }
