import socket
from collections.abc import Callable
from threading import Thread

import pytest

from tests.servers import answers
from tests.servers.ports import free_ports

Ask = Callable[[int], bool]
QUESTIONS = {
    "kafka": answers.kafka_answers,
    "cql": answers.cql_answers,
    "redis": answers.redis_answers,
    "http": lambda port: answers.http_answers(port, "/health"),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS.keys())
@pytest.mark.parametrize("said", [b"", b"\0\0\0\1", b"x" * 20, b"-LOADING\r\n"])
def test_what_is_no_answer_is_not_taken_for_one(ask: Ask, said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def say() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(said)

        saying = Thread(target=say)
        saying.start()
        assert not ask(server.getsockname()[1])
        saying.join()


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS.keys())
def test_a_port_that_nobody_listens_on_does_not_answer(ask: Ask) -> None:
    assert not ask(free_ports(1)[0])


def test_wanted_ports_are_taken_if_they_are_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = taken.getsockname()[1]
        wanted = free_ports(2)

        found = free_ports(3, [wanted[0], busy, wanted[1]])

    assert found[:2] == wanted
    assert busy not in found
    assert len(set(found)) == 3
