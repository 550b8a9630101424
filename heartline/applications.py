"""The three applications of Ray Serve on one machine, and how each is deployed.

Hot paths have replicas of their own, so that HAProxy sends a request straight to the process that
answers it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ray import serve
from ray.serve.config import HTTPOptions
from starlette.types import ASGIApp

from domain.positions import Generation
from heartline import doors
from heartline.interpreter import collect_rarely, take_short_turns
from heartline.loopback import bind_replicas_to_loopback
from heartline.one_write import write_at_once
from heartline.settings import Settings
from heartline.shortcut import take_shortcut

LOOPBACK = "127.0.0.1"  # HAProxy's wrapper binds the front end to the host that was asked for
KEEP_ALIVE_S = 75
QUIET = {"log_level": "WARNING", "enable_access_log": False}  # of each application: 25 µs a request


@dataclass(frozen=True, slots=True)
class Application:
    """A route prefix, what answers there, and how much a replica takes at once.

    On a *hot* path the replica's server asks it before Serve does (`heartline.shortcut`).
    """

    name: str
    prefix: str
    build: doors.Build
    ongoing: int = 500
    queued: int = 500
    hot: bool = False


APPLICATIONS = (
    Application("ingest", "/v1/heartbeats", doors.ingest_app, hot=True),
    Application("listening", "/v1/me/listening", doors.listening_app, hot=True),
    Application("main", "/", doors.main_app),
)


def serve_applications(settings: Settings, generation: Generation) -> None:
    """Start Ray Serve with every application, and wait until their replicas run."""
    serve.start(
        http_options=HTTPOptions(
            host=LOOPBACK, port=settings.port, keep_alive_timeout_s=KEEP_ALIVE_S
        ),
        logging_config=QUIET,
    )
    serve.run_many([target(application, settings, generation) for application in APPLICATIONS])


def target(application: Application, settings: Settings, generation: Generation) -> serve.RunTarget:
    """Tell Ray Serve what to run, with what we want of it on one machine."""
    deployment = serve.deployment(
        name=application.name,
        max_ongoing_requests=application.ongoing,
        max_queued_requests=application.queued,
        health_check_period_s=1,  # the default of 10 leaves a dead replica's requests hanging
        health_check_timeout_s=10,
        graceful_shutdown_wait_loop_s=0.1,
        graceful_shutdown_timeout_s=2,
        ray_actor_options={"num_cpus": 0},
        logging_config=QUIET,
    )(serve.ingress(_builder(application, settings, generation))())
    return serve.RunTarget(
        target=deployment.bind(), name=application.name, route_prefix=application.prefix
    )


def _builder(
    application: Application, settings: Settings, generation: Generation
) -> Callable[[], ASGIApp]:
    def build_here() -> ASGIApp:
        bind_replicas_to_loopback()
        write_at_once()
        app = application.build(settings, generation)
        if application.hot:
            take_shortcut(app, prefix=application.prefix, at_once=application.ongoing)
        else:
            take_short_turns()
        collect_rarely()
        return app

    return build_here
