"""What whole pipelines share."""

from collections.abc import Iterator

import pytest

from tests.support.coverage import not_measured


@pytest.fixture(scope="module", autouse=True)
def _at_full_speed() -> Iterator[None]:
    with not_measured():
        yield
