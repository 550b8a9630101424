"""Whether a server answers: one question in its own protocol, so that no client is needed to ask."""

import http.client
import socket
import struct
from collections.abc import Callable

PATIENCE_S = 2.0  # of each step of one question
METADATA, METADATA_VERSION = 3, 4  # of Kafka's protocol: which brokers are there?
OPTIONS, SUPPORTED, CQL_VERSION = 0x05, 0x06, 0x04  # of CQL's native protocol


def kafka_answers(port: int) -> bool:
    """Whether the broker knows of a broker that takes requests: itself, once it has started."""
    request = struct.pack(">hhih", METADATA, METADATA_VERSION, 1, -1) + struct.pack(">ib", 0, 0)

    def ask(connection: socket.socket) -> bool:
        connection.sendall(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", _exactly(connection, 4))
        answer = _exactly(connection, size)
        _correlation, _throttle_ms, brokers = struct.unpack_from(">iii", answer)
        return bool(brokers > 0)

    return _asked(port, ask)


def cql_answers(port: int) -> bool:
    """Whether the node tells what it supports."""

    def ask(connection: socket.socket) -> bool:
        connection.sendall(struct.pack(">BBhBi", CQL_VERSION, 0, 0, OPTIONS, 0))
        return _exactly(connection, 9)[4] == SUPPORTED

    return _asked(port, ask)


def redis_answers(port: int) -> bool:
    """Whether it says PONG."""

    def ask(connection: socket.socket) -> bool:
        connection.sendall(b"PING\r\n")
        return _exactly(connection, 7) == b"+PONG\r\n"

    return _asked(port, ask)


def tcp_answers(port: int) -> bool:
    """Whether somebody takes connections."""
    return _asked(port, lambda _: True)


def http_answers(port: int, path: str) -> bool:
    """Whether *path* is there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _asked(port: int, ask: Callable[[socket.socket], bool]) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
            return ask(connection)
    except (OSError, struct.error):
        return False


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise ConnectionError
        received += part
    return received
