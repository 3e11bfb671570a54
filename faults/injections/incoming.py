"""Input that is disorderly, poisonous or too much, and what it must come to."""

from collections import Counter
from collections.abc import Iterable
from typing import Final
from urllib.request import urlopen

from faults.disorders import Disorder, poisoned
from faults.moments import WORKER, waiting
from faults.readings import Sent, encoded, endless, made_up, some
from faults.scenario import Measured, Source, Trial
from faults.supervised import FaultError, until
from local_stack.process import State

ROWS: Final = 12_000
RATE: Final = 1500.0
"""Readings a second of the disorderly ones: two kills fall into the middle of them."""
_MACHINES: Final = 60
_STOPPING: Final = 1_100
"""Bad readings in a row: a hundred more than the worker bears."""
_IDS: Final = 1_000_000
_PATIENCE_SEC: Final = 900.0


def disorderly(disorder: Disorder) -> Source:
    """A few thousand readings, garbled."""

    def source(trial: Trial) -> Iterable[Sent]:
        rows = some(endless(trial.session.fleet, _MACHINES), ROWS)
        return encoded(disorder(rows, trial.rng))

    return source


def poison(good: int, bad: int) -> Source:
    """`bad` messages that no decoder may take, at random among `good` ones."""

    def source(trial: Trial) -> Iterable[Sent]:
        rng = trial.rng
        number = Counter(rng.randrange(good) for _ in range(bad))
        stream = encoded(some(endless(trial.session.fleet, _MACHINES), good))
        for at, sent in enumerate(stream):
            yield from (poisoned(sent, rng) for _ in range(number[at]))
            yield sent

    return source


def a_machine_gone_mad(trial: Trial) -> Iterable[Sent]:
    """Good readings, then one machine sends nothing but rubbish, then good ones again."""
    stream = endless(trial.session.fleet, _MACHINES)
    yield from encoded(some(stream, ROWS // 2))
    (victim,) = some(stream, 1)
    for _ in range(_STOPPING):
        yield Sent(victim.machine.encode(), b"rubbish")
    yield from encoded(some(stream, ROWS // 2))


def stopped_by_rubbish(trial: Trial) -> Measured:
    """The worker commits, exits 65 and stays down; a person starts it again: all is as it was."""
    plant = trial.plant
    status = plant.processes.status(WORKER)
    until(lambda: status.state is State.HALTED, "the worker stops for a person")
    if "exit 65" not in status.reason:
        raise FaultError(f"the worker ended by {status.reason!r}, not by exit 65")
    with plant.another("worker"):
        until(lambda: waiting(plant) == 0, "the worker started again catches up")
    return {}


def made_up_ids(trial: Trial) -> Iterable[Sent]:
    """Real machines, then a million that have one reading each, then the real ones again."""
    stream = endless(trial.session.fleet, _MACHINES)
    rows = some(stream, ROWS // 2)
    yield from encoded(rows)
    yield from encoded(made_up(_IDS, rows[0]))
    yield from encoded(some(stream, ROWS // 2))


def memory_is_bounded(trial: Trial) -> Measured:
    """A million ids of one reading: what the worker takes, and its metrics."""
    plant, load = trial.plant, trial.load
    assert load is not None
    until(lambda: load.sent > _IDS + ROWS // 2, "all is sent", _PATIENCE_SEC)
    until(lambda: waiting(plant) < RATE, "the ids are through", _PATIENCE_SEC)
    address = plant.processes.status(WORKER).address
    with urlopen(address, timeout=10) as reply:  # noqa: S310 (ours)
        metrics = len(reply.read())
    peak = plant.memory(WORKER, peak=True) >> 20
    return {"worker_mb": peak, "metrics_kb": round(metrics / 2**10, 1)}
