"""Thousands of requests that the API's own description makes up: right ones and wrong ones.

`make fuzz` sends more, others each time.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies as st

from plantwatch.messages import to_datetime

pytestmark = pytest.mark.real

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "1000"))
"""To each route."""
ROUTES = ("/detect", "/detect/batch", "/model", "/health", "/healthz", "/readyz", "/metrics")
PAGED = ("/events", "/incidents")
_FINITE = 1e30
"""So large a number still has a finite sum."""

# RFC 3339 knows leap seconds and the year 0; Python and PostgreSQL do not.
schemathesis.openapi.format(
    "date-time", st.integers(0, 2**55).map(lambda us: f"{to_datetime(us):%Y-%m-%dT%H:%M:%S.%fZ}")
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, postgres: Any) -> Iterator[str]:
    """The API with a tiny model, and a database with some rows."""
    raise NotImplementedError
