import logging
import re

import pytest

from serve.request_ids import current, request_id
from tests.serve.world import World

OURS = re.compile(r"[0-9a-f]{12}-[0-9a-f]+")


@pytest.mark.parametrize("given", ["a", "0b6f1c2e-8a71-4f5e", "A.b_c-9" * 9, "x" * 64])
async def test_a_well_formed_id_of_the_client_comes_back(world: World, given: str) -> None:
    async with world.client() as client:
        answer = await client.get("/healthz", headers={"X-Request-ID": given})

    assert answer.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "é", "<script>", "a,b", "a:b"])
async def test_another_one_is_replaced_by_ours(world: World, given: str) -> None:
    async with world.client() as client:
        answer = await client.get("/healthz", headers={b"x-request-id": given.encode()})

    assert OURS.fullmatch(answer.headers["x-request-id"])


async def test_errors_bear_an_id_too_and_each_request_its_own(world: World) -> None:
    async with world.client() as client:
        found = {(await client.get("/nowhere")).headers["x-request-id"] for _ in range(3)}

    assert len(found) == 3


def test_only_the_header_of_that_name_counts() -> None:
    assert request_id([(b"x-request", b"a"), (b"x-request-id", b"b")]) == "b"


async def test_log_lines_of_a_request_can_tell_its_id(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    class Note(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            seen.append(current.get())
            return True

    async def broken() -> str | None:
        raise OSError("a fault")

    caplog.handler.addFilter(Note())
    world.checks["broken"] = broken
    async with world.client() as client:
        await client.get("/readyz", headers={"X-Request-ID": "mine"})

    assert seen == ["mine"]
