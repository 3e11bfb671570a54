"""Ends a worker that is alive and does nothing: its supervisor starts another.

Faust's workers have been seen alive and not consuming (faust-streaming #175, #523, #532, #629,
#640), so whether ours moves is judged from outside its event loop: by a thread with a Kafka client
of its own.
"""

import os
import threading
import time
from collections.abc import Callable, Collection
from typing import Final

import structlog

from connections import groups, span
from plantwatch.errors import ConfigError, UnavailableError
from plantwatch.settings import Settings

log = structlog.get_logger()

EXIT_CODE: Final = 70
_LOOKS: Final = 6
"""How often it looks within the time that is allowed without progress."""


class Stall:
    """The rule: something to do, nothing done, and nobody to wait for, for `limit` seconds."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._since: float | None = None
        self._progress: object = None

    def observe(self, now: float, *, lag: int | None, progress: object) -> bool:
        """Whether it is a stall by now.

        Args:
            now: seconds, of a clock that never goes back.
            lag: readings waiting; None when Kafka does not answer: then it is what holds us up.
            progress: anything that changes when work is done.
        """
        if not lag or progress != self._progress or self._since is None:
            self._since, self._progress = now, progress
        return now - self._since >= self._limit


class Watchdog:
    """Looks at commits and the log's ends from a thread of its own, until the process ends."""

    def __init__(
        self, settings: Settings, owned: Callable[[], Collection[int]], read_back: Callable[[], int]
    ) -> None:
        """`owned` are the partitions that are ours now; `read_back` how many readings have been
        read to rebuild state. Both are called from the thread.
        """
        self._settings = settings
        self._owned = owned
        self._read_back = read_back

    def start(self) -> None:
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def look(self) -> tuple[int | None, object]:
        """Readings waiting, None while Kafka does not say; and what changes when work is done.

        Done is what is committed: a worker whose outputs never reach the broker (its producer may
        not come back from an outage) works on for nothing. Who owns nothing may be one worker too
        many, or may never have been given anything: as long as anybody in the group commits, it
        need not be us. Kafka is asked by clients made for it: one that had lost its broker for good
        would never show us a stall.
        """
        topic, group = self._settings.topics.readings, self._settings.worker.group_id
        try:
            held = span.held(self._settings, topic)
            done = {n.partition: n.offset for n in groups.committed(self._settings, group, topic)}
        except (UnavailableError, ConfigError):
            return None, None
        ours = sorted(self._owned()) or sorted(held)
        lag = sum(max(0, held[n].stop - max(held[n].start, done[n])) for n in ours)
        return lag, ([(n, done[n]) for n in ours], self._read_back())

    def _watch(self) -> None:
        limit = self._settings.worker.watchdog_sec
        stall = Stall(limit)
        while True:
            lag, progress = self.look()
            if stall.observe(time.monotonic(), lag=lag, progress=progress):
                log.error("no progress, ending to be restarted", seconds=limit, at=str(progress))
                os._exit(EXIT_CODE)  # the event loop may never run again: nothing to ask it for
            time.sleep(limit / _LOOKS)
