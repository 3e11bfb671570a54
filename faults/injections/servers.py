"""Kafka and PostgreSQL as processes: killed, stopped, away for a minute."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from faults.injections.processes import FROZEN_SEC, HITS, KEPT_AS
from faults.moments import BREATH_SEC, in_mid_work, waiting
from faults.orders import Action
from faults.plant import Servers, until
from faults.run import RATE, Inject, Measured, Trial

AWAY_SEC: Final = 60.0
_BROKER_KILLS: Final = 5
_LATE_SEC: Final = 10.0


def broker_killed(trial: Trial) -> Measured:
    """Kill -9 and restart, five times."""
    for _ in range(_BROKER_KILLS):
        in_mid_work(trial.plant)
        trial.session.servers.processes.outage("kafka", 0)
    in_mid_work(trial.plant)
    return {"kills": _BROKER_KILLS}


def away(name: str, number: signal.Signals) -> Inject:
    """Gone for a minute; memory is that of before once all is caught up."""

    def inject(trial: Trial) -> Measured:
        plant = trial.plant
        in_mid_work(plant)
        time.sleep(BREATH_SEC)
        before = {one: plant.memory(one) for one in KEPT_AS.values()}
        trial.session.servers.processes.outage(name, AWAY_SEC, number)
        caught_up = until(lambda: waiting(plant) < RATE, "the outage is caught up with")
        growth = max(plant.memory(one) / before[one] for one in before) - 1
        return {"caught_up_sec": round(caught_up, 1), "memory_growth": round(growth, 3)}

    return inject


@contextmanager
def broker_late(servers: Servers) -> Iterator[Mapping[str, str]]:
    """No broker while the pipeline starts; it comes a while later."""
    kafka = servers.processes
    kafka.hold("kafka")
    kafka.kill("kafka")
    timer = threading.Timer(_LATE_SEC, kafka.release, ["kafka"])
    timer.start()
    try:
        yield {}
    finally:
        timer.cancel()
        kafka.release("kafka")
        kafka.until_ready("kafka")


def postgres_frozen(trial: Trial) -> Measured:
    """SIGSTOP of the server and its children: that raises nothing, so our own deadline must."""
    in_mid_work(trial.plant)
    family = _family(trial.session.servers.processes.pid("postgres"))
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(FROZEN_SEC)
    for pid in reversed(family):
        os.kill(pid, signal.SIGCONT)
    return {"stops": 1}


def postgres_killed_in_mid_batch(trial: Trial) -> Measured:
    """The rows are inserted and not committed when the server is killed."""
    for _ in range(HITS):
        in_mid_work(trial.plant)
        trial.plant.carried_out("sink-inserted-not-committed", Action.STOP)
        trial.session.servers.processes.outage("postgres", 0)
        trial.plant.continue_all()
    return {"kills": HITS}


def _family(pid: int) -> list[int]:
    """A process and all that came from it, the eldest first (Linux)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [pid, *(one for child in children for one in _family(int(child)))]
