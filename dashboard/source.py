"""The last answers of PostgreSQL, kept for when it is away, and since when it is.

All who look at the page share one connection and its answers: ten viewers cost what one does.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import psycopg

from connections.database import Database
from plantwatch.errors import PlantwatchError
from plantwatch.settings import Settings

T = TypeVar("T")

_KEPT: Final = 64
"""Answers kept: the fleet's, and those of as many machines as were looked at last."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Since when nothing can be read (seconds since 1970), and why, in one line."""

    since: float
    why: str


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was read last and when (seconds since 1970), None if never; without `outage`, fresh."""

    data: T | None
    read_at: float | None
    outage: Outage | None


class Source:
    """Asks as the reader; never raises for a database that is away or refuses: it says so."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Connect on first use only."""
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._database = Database(
            settings, "reader", settings.streamlit.deadline_sec, autocommit=True
        )
        self._answers: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._outage: Outage | None = None
        self._tried_at = 0.0

    def read(self, key: Hashable, query: Callable[[psycopg.Connection], T]) -> Answer[T]:
        """The answer to `query`, asked anew when the one kept under `key` has had its time.

        Blocks for `streamlit.deadline_sec` at most.
        """
        with self._lock:
            if self._is_due(key):
                self._ask(key, query)
            read_at, data = self._answers.get(key, (None, None))
            return Answer(data, read_at, self._outage)

    def has(self, key: Hashable) -> bool:
        """Whether there is an answer under `key`, however old. Blocks for nobody."""
        return key in self._answers

    def expire(self) -> None:
        """Somebody has changed something: whoever reads next asks anew."""
        with self._lock:
            self._answers = OrderedDict(
                (key, (0.0, data)) for key, (_, data) in self._answers.items()
            )

    def _is_due(self, key: Hashable) -> bool:
        # Half: a page that refreshes on time must never be given the answer of the time before.
        patience = self._settings.streamlit.refresh_interval_sec / 2
        if self._outage is not None:
            return self._clock() - self._tried_at >= patience
        read_at = self._answers[key][0] if key in self._answers else 0.0
        return self._clock() - read_at >= patience

    def _ask(self, key: Hashable, query: Callable[[psycopg.Connection], Any]) -> None:
        self._tried_at = self._clock()
        try:
            with self._database.connected() as connection:
                data = query(connection)
        except PlantwatchError as error:
            since = self._outage.since if self._outage else self._clock()
            self._outage = Outage(since, str(error))
        else:
            self._outage = None
            self._answers[key] = self._clock(), data
            self._answers.move_to_end(key)
            while len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
