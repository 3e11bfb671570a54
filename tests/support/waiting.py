"""Waiting for something to be so: ask, again and again, until a deadline."""

import time
from collections.abc import Callable

PATIENCE_SEC = 60.0


def until(condition: Callable[[], bool], explain: Callable[[], str] = str) -> None:
    """Return once `condition` holds; after a minute fail with what `explain` says."""
    deadline = time.monotonic() + PATIENCE_SEC
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)
