"""When the counting is tried again."""

from typing import Any

import pytest

from connections.database import Database
from connections.prometheus import Exporter
from plantwatch.configuration import load
from plantwatch.errors import StoreAwayError
from sinks.census import Census
from tests.support.servers import CONFIGS

SETTINGS = load(CONFIGS, {})


class Away(Database):
    """PostgreSQL does not answer; knows how often it was asked."""

    asked = 0

    def transaction(self) -> Any:
        self.asked += 1
        raise StoreAwayError("08", "away")


# A count that fails is not tried again at once: moves of incidents wait behind it.
def test_a_failed_count_is_not_repeated_at_once() -> None:
    now = 1000.0
    database = Away(SETTINGS, "writer", 1.0)
    census = Census(SETTINGS, database, Exporter(), lambda: now)
    with pytest.raises(StoreAwayError):
        census.take()
    census.take()
    assert database.asked == 1
    now += SETTINGS.outbox.look_sec
    with pytest.raises(StoreAwayError):
        census.take()
