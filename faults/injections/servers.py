"""Kafka and PostgreSQL as processes: killed, stopped, away for a minute."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from faults.moments import BREATH_SEC, FROZEN_SEC, HITS, KEPT_AS, SINK, WORKER, in_mid_work, waiting
from faults.orders import Action
from faults.scenario import RATE, Around, Inject, Measured, Session, Trial
from faults.supervised import FaultError, until

AWAY_SEC: Final = 60.0
_BROKER_KILLS: Final = 5
_LATE_SEC: Final = 25.0


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
        growth = {one: round(plant.memory(one) / before[one] - 1, 3) for one in before}
        return {
            "caught_up_sec": round(caught_up, 1),
            "worker_growth": growth[WORKER],
            "sink_growth": growth[SINK],
        }

    return inject


@contextmanager
def broker_late(session: Session) -> Iterator[Around]:
    """No broker while the pipeline starts; it comes a while later."""
    kafka = session.servers.processes
    kafka.hold("kafka")
    kafka.kill("kafka")
    timer = threading.Timer(_LATE_SEC, kafka.release, ["kafka"])
    timer.start()
    try:
        yield Around()
    finally:
        timer.cancel()
        kafka.release("kafka")
        kafka.until_ready("kafka")


def postgres_frozen(trial: Trial) -> Measured:
    """SIGSTOP of the server and its children: that raises nothing, so our own deadline must."""
    plant, postgres = trial.plant, trial.session.servers.processes.pid("postgres")
    in_mid_work(plant, SINK)
    logged = len(plant.processes.log(SINK))
    began = time.monotonic()
    stopped = _stop_family(postgres)
    try:
        plant.processes.until_logged(SINK, "waiting for the store", logged)
        time.sleep(max(0.0, began + FROZEN_SEC - time.monotonic()))
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    in_mid_work(plant, SINK)
    return {"stops": 1}


def postgres_killed_in_mid_batch(trial: Trial) -> Measured:
    """The rows are inserted and not committed when the server is killed."""
    for _ in range(HITS):
        in_mid_work(trial.plant, SINK)
        trial.plant.carry_out("sink-inserted-not-committed", Action.STOP)
        trial.session.servers.processes.outage("postgres", 0)
        trial.plant.continue_all()
    return {"kills": HITS}


def came_before_its_broker(trial: Trial) -> Measured:
    """The worker asked for the broker in vain, and was started again until it was there."""
    restarts = trial.plant.processes.status(WORKER).restarts
    if not restarts:
        raise FaultError("the broker was there before the worker")
    in_mid_work(trial.plant, SINK)
    return {"restarts": restarts}


def _stop_family(pid: int) -> list[int]:
    """SIGSTOP a process and all that came from it, the eldest first: so none is born meanwhile."""
    try:
        os.kill(pid, signal.SIGSTOP)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    except (ProcessLookupError, FileNotFoundError):  # a backend that has just ended
        return []
    return [pid, *(one for child in children for one in _stop_family(int(child)))]
