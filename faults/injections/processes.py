"""The pipeline's own processes: killed, stopped, wedged, told to end."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from faults.moments import FROZEN_SEC, HITS, KEPT_AS, WORKER, committed, in_mid_work
from faults.orders import Action
from faults.points import POINTS
from faults.scenario import Inject, Measured, Trial
from faults.supervised import FaultError, Processes, until


def nothing(_trial: Trial) -> Measured:
    """A pipeline left in peace."""
    return {}


def killed_at(point: str) -> Inject:
    """Kill -9 at a failpoint, each time at another pass of it."""

    def inject(trial: Trial) -> Measured:
        plant, spec = trial.plant, POINTS[point]
        victim = KEPT_AS[spec.role]
        for _ in range(HITS):
            in_mid_work(plant, victim)
            plant.orders.give(point, Action.KILL, trial.rng.randint(1, spec.passes or 1))
            if not spec.passes:  # passed only on the way up, and there only with work done before
                until(lambda: committed(plant, victim) > 0, f"{victim} commits")
                plant.processes.kill(victim)
            until(lambda: not plant.orders.pending(point), f"somebody passes {point}")
        in_mid_work(plant, victim)
        return {"kills": HITS * (1 if spec.passes else 2)}

    return inject


def killed(name: str, times: int = HITS) -> Inject:
    """Kill -9 at any moment."""

    def inject(trial: Trial) -> Measured:
        for _ in range(times):
            in_mid_work(trial.plant, name)
            time.sleep(trial.rng.uniform(0, 0.5))
            restarts = trial.plant.processes.status(name).restarts
            trial.plant.processes.kill(name)
            trial.plant.processes.until_ready(name, restarts)
        return {"kills": times}

    return inject


def frozen(name: str) -> Inject:
    """SIGSTOP for so long that the group gives it up, with nobody to take over."""

    def inject(trial: Trial) -> Measured:
        in_mid_work(trial.plant, name)
        trial.plant.processes.freeze(name, FROZEN_SEC)
        in_mid_work(trial.plant, name)
        return {"stops": 1}

    return inject


def wedged(trial: Trial) -> Measured:
    """Alive and not consuming: the watchdog ends it, the supervisor starts another."""
    plant = trial.plant
    in_mid_work(plant)
    restarts = plant.processes.status(WORKER).restarts
    plant.carry_out("worker-produced-not-acked", Action.HANG)
    began = time.monotonic()
    plant.processes.until_ready(WORKER, restarts)
    reason = plant.processes.status(WORKER).reason
    if not reason.startswith("exit 70"):
        raise FaultError(f"a wedged worker ended by {reason!r}, not by its watchdog")
    return {"replaced_sec": round(time.monotonic() - began, 1)}


def terminated(name: str) -> Inject:
    """SIGTERM in mid-work, scraped all the while: it drains and exits 0."""

    def inject(trial: Trial) -> Measured:
        processes, seconds = trial.plant.processes, []
        with _scraped(processes.status(name).address):
            for _ in range(HITS):
                in_mid_work(trial.plant, name)
                seconds.append(_stopped(processes, name))
        return {"stops": HITS, "longest_stop_sec": round(max(seconds), 2)}

    return inject


def _stopped(processes: Processes, name: str) -> float:
    status, pid = processes.status(name), processes.pid(name)
    restarts = status.restarts
    os.kill(pid, signal.SIGTERM)
    seconds = until(lambda: not Path(f"/proc/{pid}").exists(), f"{name} drains and ends")
    processes.until_ready(name, restarts)
    if status.reason:
        raise FaultError(f"{name} did not exit with 0: {status.reason}")
    return seconds


@contextmanager
def _scraped(address: str) -> Iterator[None]:
    """Metrics asked for again and again, whether anybody answers or not."""
    over = threading.Event()

    def scrape() -> None:
        while not over.wait(0.05):
            with suppress(OSError, HTTPException), urlopen(address, timeout=1) as reply:  # noqa: S310 (ours)
                reply.read()

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
