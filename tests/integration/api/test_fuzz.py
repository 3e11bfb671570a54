"""Thousands of requests that the API's own description makes up: right ones and wrong ones.

`make fuzz` sends more.
"""

import copy
import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.generation.case import Case

from connections.postgres import connect
from plantwatch.instants import to_datetime
from sinks.migrate import upgrade
from tests.support import stored
from tests.support.api import ROWS, SENSORS, running, tiny_settings
from tests.support.servers import PostgresServer

pytestmark = pytest.mark.real

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "1000"))
"""To each route."""
BATCH = 3
ASKING = ("/detect", "/detect/batch", "/events", "/incidents")
TELLING = ("/model", "/health", "/healthz", "/readyz", "/metrics")
FINITE = {"exclusiveMinimum": -1e30, "exclusiveMaximum": 1e30}
"""A model has an answer for windows of these."""

# RFC 3339 knows leap seconds and the year 0; Python and PostgreSQL do not.
schemathesis.openapi.format(
    "date-time", st.integers(0, 2**55).map(lambda us: f"{to_datetime(us):%Y-%m-%dT%H:%M:%S.%fZ}")
)


@pytest.fixture(scope="module")
def address(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API with a tiny model, and tables with some rows."""
    made = tiny_settings(tmp_path_factory.mktemp("models"), MAX_BATCH_SIZE=str(BATCH))
    settings = made.model_copy(update={"postgres": postgres.settings})
    upgrade(settings)
    with connect(settings, "owner", autocommit=True) as owner:
        for cycle in range(300):
            stored.verdict(owner, cycle)
        stored.incident(owner)
    with running(settings) as client:
        yield str(client.base_url)


def described(address: str) -> dict[str, Any]:
    """What the API says of itself, with what it cannot: the shape of the model in use."""
    found: dict[str, Any] = requests.get(f"{address}/openapi.json", timeout=60).json()
    shapes = found["components"]["schemas"]
    window = shapes["DetectRequest"]["properties"]["window"]
    window |= {"minItems": ROWS, "maxItems": ROWS}
    window["items"] |= {"minItems": 1 + len(SENSORS), "maxItems": 1 + len(SENSORS)}
    shapes["BatchRequest"]["properties"]["windows"]["maxItems"] = BATCH
    return found


def send(address: str, path: str, document: dict[str, Any], mode: GenerationMode) -> int:
    """Half of the requests to a route, each answer held against the description; how many."""
    method = "POST" if path.startswith("/detect") else "GET"
    found = schemathesis.openapi.from_dict(document)[path][method]
    session, sent = requests.Session(), 0

    @hypothesis.settings(
        max_examples=REQUESTS // 2,
        derandomize="FUZZ_REQUESTS" not in os.environ,  # the same with every change
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=found.as_strategy(mode))
    def each(case: Case[Any]) -> None:
        nonlocal sent
        sent += 1
        case.call_and_validate(base_url=address, session=session)

    each()
    return sent


# What fits the description is taken, and the answer is as described.
@pytest.mark.parametrize("path", ASKING)
def test_right_requests(address: str, path: str) -> None:
    document = copy.deepcopy(described(address))
    window = document["components"]["schemas"]["DetectRequest"]["properties"]["window"]
    window["items"]["items"] |= FINITE
    assert send(address, path, document, GenerationMode.POSITIVE) >= REQUESTS // 2


# What does not fit is refused in words, never with an error of ours.
@pytest.mark.parametrize("path", ASKING)
def test_wrong_requests(address: str, path: str) -> None:
    assert send(address, path, described(address), GenerationMode.NEGATIVE) >= REQUESTS // 2


# Routes that are asked nothing say the same each time, as described.
@pytest.mark.parametrize("path", TELLING)
def test_routes_that_are_asked_nothing(address: str, path: str) -> None:
    operation = schemathesis.openapi.from_dict(described(address))[path]["GET"]
    session = requests.Session()
    for _ in range(REQUESTS):
        operation.Case().call_and_validate(base_url=address, session=session)
