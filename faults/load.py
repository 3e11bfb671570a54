"""Publishing in the background, at a rate or without a pause, every message acknowledged."""

import threading
import time
from collections.abc import Iterable
from typing import Final

from connections.kafka import CheckedProducer, producer_config
from faults.readings import Sent
from plantwatch.settings import Settings

_TICK_SEC: Final = 0.002
"""Machines send when they send, not all within the same 20 ms."""
_ABANDON_SEC: Final = 5.0
"""With its queue full and no broker a producer cannot be stopped; it ends with this process."""


class Load:
    """One producer on a thread of its own; survives any outage of the broker."""

    def __init__(
        self, settings: Settings, messages: Iterable[Sent], rate: float | None, burst: int = 0
    ) -> None:
        """Publish `messages` to `readings`: the first `burst` without a pause, the others `rate` a
        second (None: without a pause, too).
        """
        self.sent = 0
        """Messages handed to the producer: after `finish` or `stop`, on the topic."""
        self._topic = settings.topics.readings
        self._messages = messages
        self._rate = rate
        self._burst = burst
        self._producer = CheckedProducer(producer_config(settings))
        self._halt = threading.Event()
        self._abandoned = False
        self._began = 0.0
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def finish(self) -> None:
        """Wait until all of the messages are acknowledged; only for those that have an end."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Send no more, and see all that was sent acknowledged."""
        self._halt.set()
        self.finish()

    def abandon(self) -> None:
        """Send no more, and wait for nothing: the scenario has failed, perhaps because of us.

        Raises:
            DeliveryFailedError: that is why.
        """
        self._halt.set()
        self._abandoned = True
        self._thread.join(_ABANDON_SEC)
        if self._error is not None:
            raise self._error

    def _pace(self) -> None:
        """Wait until the next message is due."""
        if self._rate is None or self.sent < self._burst:
            return
        if self.sent == self._burst:
            self._began = time.monotonic()
        while self.sent - self._burst > self._rate * (time.monotonic() - self._began):
            self._producer.poll(_TICK_SEC)

    def _run(self) -> None:
        try:
            for key, value in self._messages:
                self._pace()
                if self._halt.is_set():
                    break
                self._producer.send(self._topic, key, value)
                self.sent += 1
            while not self._producer.flush(1.0) and not self._abandoned:
                pass
        except BaseException as error:  # noqa: BLE001  told to whoever waits
            self._error = error
