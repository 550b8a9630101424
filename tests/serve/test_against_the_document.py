"""Every endpoint does what the OpenAPI document says, whatever schemathesis thinks of.

The seed is fixed: what fails, fails again.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import CheckContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.transport import Response

from domain.calendar import zone_names
from domain.catalogue import EntityKind
from serve import ingest
from serve.app import DESCRIBED
from serve.arrow_streams import ARROW
from serve.catalogue_lines import NDJSON
from serve.openapi import document
from tests.domain.catalogue import items
from tests.domain.catalogue import names as titles
from tests.serve.bodies import batch_of, rows, stream_of
from tests.serve.whole import Whole, serving

EXAMPLES, SCENARIOS, STEPS = 50, 40, 12
USUAL = ["2xx", "3xx", "401", "403", "404", "409", "429", "5xx"]
# What no schema can say: not every year has 53 weeks, a page has one direction, and which password
# is the right one.
SOMETIMES_REFUSED = [
    "GET /v1/me/listening/minutes",
    "GET /v1/listeners/{listener_id}/listening/minutes",
    "GET /v1/me/player/recently-played",
    "PUT /v1/me/password",
    # Whether artists and albums are there, days in the calendar, and what check digits are right.
    *(f"PUT /v1/catalogue/{kind}s/{{id}}" for kind in EntityKind),
]
# Whether a snapshot id is one of the playlist's, what positions it has, what a range is without its end,
# and whether bytes are an image.
OF_VERSIONS = [
    *(
        f"{method} /v1/playlists/{{id}}/{name}"
        for method in ("POST", "PUT", "DELETE")
        for name in ("items", "tracks")
    ),
    "PUT /v1/playlists/{id}",
    "POST /v1/playlists/{id}/restore",
    "PUT /v1/playlists/{id}/images",
    "POST /v1/me/playlists",
]
# What is no stream of these columns is refused as a whole.
OF_COLUMNS = [f"POST /v1/catalogue/{kind}s" for kind in EntityKind]
# A wrong heartbeat is refused by itself, and the request taken: see the check below.
BY_ITEM = "POST /v1/heartbeats"

Case: TypeAlias = schemathesis.Case[Any]

names = st.uuids().map(str)
schemathesis.openapi.format("account-name", names)
schemathesis.openapi.format("display-name", names)
schemathesis.openapi.format("title", titles)
schemathesis.openapi.format(
    "fields", st.sampled_from(["name", "items(track(name))", "!tracks,!items", "tracks.total"])
)
schemathesis.openapi.format("playlist-uri", st.just("heartline:playlist:a"))
schemathesis.openapi.format("track-uri", st.sampled_from("ab").map("heartline:track:{}".format))
schemathesis.openapi.media_type(
    NDJSON,
    st.lists(st.sampled_from(EntityKind).flatmap(items), min_size=1, max_size=4).map(
        lambda drawn: b"\n".join(map(msgspec.json.encode, drawn))
    ),
)
schemathesis.openapi.format("time-zone", st.sampled_from(sorted(zone_names())))
schemathesis.openapi.media_type(ARROW, rows().map(lambda items: stream_of(batch_of(items))))

DOCUMENT = msgspec.json.encode(document((*ingest.ENDPOINTS, *DESCRIBED), version="0.0.1"))

schema = schemathesis.openapi.from_dict(
    msgspec.json.decode(DOCUMENT),
    config=SchemathesisConfig.from_dict(
        {
            "seed": 4,
            "generation": {"deterministic": True, "database": "none"},
            "operations": [
                *(
                    {
                        "include-name": name,
                        "checks": {
                            "positive_data_acceptance": {"expected-statuses": [*USUAL, "422"]}
                        },
                    }
                    for name in SOMETIMES_REFUSED
                ),
                *(
                    {
                        "include-name": name,
                        "checks": {
                            "positive_data_acceptance": {"expected-statuses": [*USUAL, "400"]}
                        },
                    }
                    for name in OF_VERSIONS
                ),
                *(
                    {
                        "include-name": name,
                        "checks": {
                            "positive_data_acceptance": {"expected-statuses": [*USUAL, "400"]},
                            "negative_data_rejection": {"expected-statuses": ["2xx", "4xx"]},
                        },
                    }
                    for name in OF_COLUMNS
                ),
                {
                    "include-name": BY_ITEM,
                    "checks": {"negative_data_rejection": {"expected-statuses": ["202", "4xx"]}},
                },
            ],
        }
    ),
)
tries = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def what_violates_the_schema_is_not_accepted(
    _context: CheckContext, response: Response, case: Case
) -> None:
    if case.operation.label == BY_ITEM and response.status_code == 202:
        receipt = response.json()
        assert case.meta is not None
        assert case.meta.generation.mode.is_positive or receipt["rejected"]


CHECKS: Any = [what_violates_the_schema_is_not_accepted]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with serving(tmp_path_factory.mktemp("whole")) as made:
        yield made


def bearer(whole: Whole) -> dict[str, str]:
    return {"Authorization": f"Bearer {whole.new_token()}"}


@schema.parametrize()
@tries
def test_an_operation_is_as_it_is_described(case: Case, whole: Whole) -> None:
    case.call_and_validate(whole.url, headers=bearer(whole), additional_checks=CHECKS)


def test_operations_that_follow_each_other_are_as_they_are_described(whole: Whole) -> None:
    class Session(schema.as_state_machine()):  # type: ignore[misc]
        """From a new account on, as whoever logged in last."""

        def setup(self) -> None:
            self.headers = bearer(whole)

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            return {"base_url": whole.url, "headers": self.headers}

        def after_call(self, response: Response, case: Case) -> None:
            if case.operation.label == "POST /v1/token" and response.status_code == 200:
                self.headers = {"Authorization": f"Bearer {response.json()['access_token']}"}

    Session.run(settings=settings(tries, max_examples=SCENARIOS, stateful_step_count=STEPS))


def test_what_is_served_is_what_was_tried(whole: Whole) -> None:
    served = httpx.get(f"{whole.url}/v1/openapi.json").json()

    assert served == msgspec.json.decode(DOCUMENT)
