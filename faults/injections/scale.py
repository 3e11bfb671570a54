"""Much of it: a million readings to read back after a kill, a hundred thousand machines at once."""

import time
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, islice
from typing import Final

from faults.moments import WORKER, in_mid_work, metric, waiting
from faults.readings import Sent, encoded, endless
from faults.scenario import MACHINES, RATE, Inject, Measured, Source, Trial
from faults.supervised import until

READ_BACK: Final = (250_000, 1_000_000)
"""Readings, of 10,000 machines: what is promised, and where the line to it begins."""
TOGETHER: Final = 100_000
_PATIENCE_SEC: Final = 900.0


def a_long_history(readings: int) -> Source:
    """Some machines that soon fall silent, so that all after them must be read back; 10,000 with a
    full history, whose cycles jump, so that they never have a window; then everyday machines.
    """

    def source(trial: Trial) -> Iterable[Sent]:
        fleet = trial.session.fleet
        silent = islice(endless(fleet, MACHINES, "silent"), MACHINES)
        jumping = (
            replace(row, cycle=10 * row.cycle)
            for row in islice(endless(fleet, 10_000, "jumping"), readings)
        )
        return encoded(chain(silent, jumping, endless(fleet, MACHINES)))

    return source


def taken_over(readings: int) -> Inject:
    """Kill -9; how long until the one after it has read all back and scores."""

    def inject(trial: Trial) -> Measured:
        plant, load = trial.plant, trial.load
        assert load is not None
        until(lambda: load.sent > readings + MACHINES, "the history is sent", _PATIENCE_SEC)
        until(lambda: waiting(plant) < RATE, "the history is through", _PATIENCE_SEC)
        in_mid_work(plant)
        plant.processes.kill(WORKER)
        began = time.monotonic()
        in_mid_work(plant)
        seconds = round(time.monotonic() - began, 1)
        read_back = metric(plant, WORKER, "plantwatch_read_back_readings_total")
        return {"kills": 1, "take_over_sec": seconds, "read_back": read_back}

    return inject


def all_start_together(trial: Trial) -> Iterable[Sent]:
    """A hundred thousand machines, each with its first thirty readings."""
    rows = islice(endless(trial.session.fleet, TOGETHER), 30 * TOGETHER)
    return encoded(rows)


def all_are_scored(trial: Trial) -> Measured:
    """Every one has its first score; what that takes."""
    plant, load = trial.plant, trial.load
    assert load is not None
    began = time.monotonic()
    until(lambda: load.sent == 30 * TOGETHER, "all is sent", _PATIENCE_SEC)
    until(lambda: waiting(plant) == 0, "all is through", _PATIENCE_SEC)
    seconds = time.monotonic() - began
    megabytes = plant.memory(WORKER, peak=True) >> 20
    return {"readings_per_s": round(load.sent / seconds), "worker_mb": megabytes}
