"""The loop that feeds any sink: poll a batch, write it, see its dead letters acknowledged, commit.

Offsets are committed last, so whatever ends this process, at any instruction, its rows are read
and written again: sinks make that harmless, and nothing is lost.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event
from typing import Generic, TypeVar

import structlog

from plantwatch.errors import StoreAwayError
from plantwatch.settings import Sink as SinkSettings
from sinks.dead_letters import DeadLetters
from sinks.instruments import Instruments
from sinks.sink import R, Record, Sink
from sinks.subscription import Subscription

T = TypeVar("T")
log = structlog.get_logger()


class _AbandonedError(Exception):
    """The batch in hand is no longer ours to finish: whoever owns its offsets reads it again."""


class SinkLoop(Generic[R]):
    """Moves the rows of a topic into one sink, in the caller's thread, until `stopping` is set.

    Setting it (from a signal handler) finishes the batch in hand and commits it; while the sink
    is away, the batch is left uncommitted for the next start instead.
    """

    def __init__(
        self,
        *,
        settings: SinkSettings,
        subscription: Subscription,
        read: Callable[[Record], R | None],
        sink: Sink[R],
        letters: DeadLetters,
        instruments: Instruments,
        stopping: Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` makes a row of a message, or None if it is not for this sink; it raises ValueError
        for one that is to be a dead letter.
        """
        self._settings = settings
        self._subscription = subscription
        self._read = read
        self._sink = sink
        self._letters = letters
        self._instruments = instruments
        self._stopping = stopping
        self._clock = clock
        self._next_commit = clock()

    def run(self) -> None:
        """Consume until told to stop; subscription and sink are closed on the way out.

        Raises:
            ConfigError: a person must change something; nothing unstored was committed.
            UnavailableError: Kafka refused a dead letter; the caller starts again.
        """
        try:
            while not self._stopping.is_set():
                self._step()
            self._subscription.commit()
        finally:
            self._subscription.close()
            self._sink.close()

    def _step(self) -> None:
        records = self._subscription.poll(self._settings.batch_rows, self._settings.batch_ms / 1000)
        try:
            self._finish(records)
        except _AbandonedError:
            log.info("batch left to its next owner", messages=len(records))
        else:
            self._subscription.done(records)
        # A commit waits for the broker, which under load is a seventh of a batch's time.
        if not records or self._clock() >= self._next_commit:
            self._subscription.commit()
            self._next_commit = self._clock() + self._settings.commit_interval_sec
        self._tend()
        self._instruments.lag(self._subscription.lag())

    def _tend(self) -> None:
        """Let the sink do what can wait: while its store is away, the rows are what matters."""
        try:
            self._sink.tend()
        except StoreAwayError as error:
            self._instruments.retried(error.why)
            log.warning("the store is not tended", error=str(error))

    def _finish(self, records: Sequence[Record]) -> None:
        """Bring every record to the sink or to the dead letters, both durable on return."""
        if rows := self._rows(records):
            outcome = self._insist(partial(self._sink.write, rows))
            self._instruments.written(outcome)
            for refusal in outcome.refused:
                self._letters.refused(refusal)
        self._insist(self._letters.flush)

    def _rows(self, records: Sequence[Record]) -> list[R]:
        rows: list[R | None] = []
        for record in records:
            try:
                rows.append(self._read(record))
            except ValueError as error:
                self._letters.bad_event(record, error)
        wanted = [row for row in rows if row is not None]
        self._instruments.passed_over(len(rows) - len(wanted))
        return wanted

    def _insist(self, act: Callable[[], T]) -> T:
        """Try until it succeeds, unless the batch is taken away or we are told to stop."""
        epoch = self._subscription.epoch
        for attempt in itertools.count():
            try:
                return act()
            except StoreAwayError as error:
                wait = self._backoff(attempt)
                self._instruments.retried(error.why)
                log.warning("waiting for the store", error=str(error), seconds=wait)
            self._subscription.wait(wait)
            if self._subscription.epoch != epoch or self._stopping.is_set():
                raise _AbandonedError
        raise AssertionError  # count() has no end

    def _backoff(self, attempt: int) -> float:
        # The exponent is bounded because 2.0**1024 overflows, after an hour or so of outage.
        doubled = self._settings.retry_min_sec * 2.0 ** min(attempt, 30)
        return min(self._settings.retry_max_sec, doubled)
