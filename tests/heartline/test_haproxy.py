import subprocess
from pathlib import Path

import pytest

from heartline.haproxy import BINARY, UNWATCHED, Front, install, wrapper

WRITTEN = """\
    stats socket /run/a.sock mode 666 level admin expose-fd listeners
    nbthread 1
    errorfile 502 /run/500.http
    errorfile 503 /run/500.http
frontend prometheus
    bind :9101
frontend http_frontend
    bind 127.0.0.1:8000
    timeout http-keep-alive 75s
backend default_backend
    http-request return status 404 content-type text/plain lf-string "Path '%[path]' not found."
    http-request return status 200 content-type text/plain string "ok"
backend main
    server r1 127.0.0.1:30000 check
listen stats
  bind *:8404
"""


def mended(folder: Path, host: str, written: str = WRITTEN) -> list[str]:
    config, script = folder / "haproxy.cfg", folder / "haproxy"
    config.write_text(written)
    script.write_text(wrapper("/bin/echo", Front(host, 8000, Path("/run"), 1_100), pdeathsig=None))
    script.chmod(0o700)

    said = subprocess.run(
        [script, "-db", "-f", config, "-sf", "1"], capture_output=True, text=True, check=True
    )

    assert said.stdout == f"-db -f {config} -sf 1\n"
    return config.read_text().splitlines()


@pytest.mark.parametrize(
    ("host", "front"),
    [("127.0.0.1", "127.0.0.1:8000"), ("0.0.0.0", "0.0.0.0:8000"), ("::1", "[::1]:8000")],
)
def test_only_the_front_end_listens_where_it_was_asked_to(
    tmp_path: Path, host: str, front: str
) -> None:
    binds = [line.strip() for line in mended(tmp_path, host) if "bind" in line]

    assert binds == [
        "bind 127.0.0.1:9101",
        f"bind {front} maxconn 1000",
        "bind unix@/run/probe.sock mode 600",
        "bind 127.0.0.1:8404",
    ]


def test_the_front_end_of_a_node_is_found_wherever_serve_binds_it(tmp_path: Path) -> None:
    written = WRITTEN.replace("bind 127.0.0.1:8000", "bind 0.0.0.0:8000")

    binds = [line.strip() for line in mended(tmp_path, "192.0.2.1", written) if "bind" in line]

    assert binds[1] == "bind 192.0.2.1:8000 maxconn 1000"


def test_connections_are_kept_shortly_and_under_a_crowd_not_at_all(tmp_path: Path) -> None:
    lines = [line.strip() for line in mended(tmp_path, "127.0.0.1")]

    assert "timeout http-keep-alive 15s" in lines
    assert "timeout http-request 10s" in lines
    assert "option http-buffer-request" in lines
    assert "http-after-response set-header connection close if { fe_conn gt 500 }" in lines


def test_serve_is_told_not_to_watch_the_client(tmp_path: Path) -> None:
    lines = [line.strip() for line in mended(tmp_path, "127.0.0.1")]

    assert f"http-request set-header {UNWATCHED} ?1" in lines


def test_replicas_are_told_from_where_a_request_came(tmp_path: Path) -> None:
    lines = [line.strip() for line in mended(tmp_path, "127.0.0.1")]

    (told,) = [line for line in lines if "X-Forwarded-For" in line]
    assert told == (
        "http-request set-header X-Forwarded-For %[src] unless "
        "{ src 127.0.0.0/8 ::1 } { hdr(X-Forwarded-For) -m found }"
    )


def test_what_haproxy_answers_has_our_shape_and_says_try_again(tmp_path: Path) -> None:
    lines = [line.strip() for line in mended(tmp_path, "127.0.0.1")]

    errors = [line for line in lines if line.startswith("http-error status 50")]
    for status, line in zip(("502", "503"), errors, strict=True):
        assert line.startswith(f"http-error status {status} content-type application/json hdr")
        assert f'{{"error": {{"status": {status}, ' in line
        assert "hdr Retry-After 1" in line
    for status in ("400", "408"):
        (line,) = [line for line in lines if line.startswith(f"http-error status {status} ")]
        assert f'string \'{{"error": {{"status": {status}, ' in line
    starting, routes = [line for line in lines if line.startswith("http-request return")]
    assert starting.startswith("http-request return status 503 content-type application/json")
    assert routes == 'http-request return status 200 content-type text/plain string "ok"'


def test_idle_clients_are_not_reckoned_as_busy_ones(tmp_path: Path) -> None:
    lines = [line.strip() for line in mended(tmp_path, "127.0.0.1")]

    assert {"no strict-limits", "nosplice"} <= set(lines)
    assert "server r1 127.0.0.1:30000 check maxconn 2000" in lines


def test_the_administration_socket_is_ours_alone(tmp_path: Path) -> None:
    assert "mode 600 level admin" in mended(tmp_path, "127.0.0.1")[0]


def test_mending_twice_changes_nothing_more(tmp_path: Path) -> None:
    once = mended(tmp_path, "0.0.0.0")

    subprocess.run([tmp_path / "haproxy", "-f", tmp_path / "haproxy.cfg"], check=True)

    assert (tmp_path / "haproxy.cfg").read_text().splitlines() == once


def test_haproxy_dies_with_the_process_that_started_it() -> None:
    script = wrapper("/bin/haproxy", Front("::1", 1, Path("p"), 9), pdeathsig="/usr/bin/setpriv")

    assert 'exec /usr/bin/setpriv --pdeathsig KILL /bin/haproxy "$@"' in script


def test_a_wrapper_never_starts_a_wrapper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BINARY, raising=False)
    first = install(tmp_path, host="127.0.0.1", port=8000)
    started = first.read_text().splitlines()[-1]
    monkeypatch.setenv(BINARY, str(first))

    again = install(tmp_path, host="127.0.0.1", port=8000)

    assert again.read_text().splitlines()[-1] == started
    assert str(tmp_path) not in started
