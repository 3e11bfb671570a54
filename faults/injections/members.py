"""Members of the groups: workers and sinks that join, leave, and come back from the dead."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from faults.moments import BREATH_SEC, SINK, WORKER, in_mid_work, metric, waiting
from faults.orders import Action
from faults.plant import Plant
from faults.scenario import RATE, Measured, Trial
from faults.supervised import Processes, until
from local_stack.free import free_ports


def workers_come_and_go(trial: Trial) -> Measured:
    """Two workers, three, then the first alone, under load; one leaves, one is killed for good."""
    plant = trial.plant
    with second_worker(plant, "worker-2") as second:
        in_mid_work(plant)
        with second_worker(plant, "worker-3"):
            in_mid_work(plant)
            time.sleep(BREATH_SEC)
        _one_less(plant)
        second.hold(WORKER)
        second.kill(WORKER)
        _one_less(plant)
    return {"rebalances": metric(plant, WORKER, "plantwatch_rebalances_total")}


def zombie_worker(trial: Trial) -> Measured:
    """Stopped in mid-chunk, its partitions taken over, continued: a zombie with outputs in hand."""
    points = ("worker-produced-in-part", "worker-before-flush")
    with second_worker(trial.plant, "worker-2"):
        for point in points:
            _zombie(trial.plant, WORKER, point, trial.plant.settings.worker.session_timeout_sec)
    return {"stops": len(points)}


def zombie_sink(trial: Trial) -> Measured:
    """Stopped with a transaction open; the server lets go of its keys, another sink goes on."""
    plant, points = trial.plant, ("sink-inserted-not-committed", "sink-stored-offset-not")
    with second_sink(plant):
        for point in points:
            _zombie(plant, SINK, point, plant.settings.sink.session_timeout_sec)
    return {"stops": len(points)}


@contextmanager
def second_worker(plant: Plant, instance: str) -> Iterator[Processes]:
    """One more worker of the group, under this static name, for the length of the block."""
    (port,) = free_ports(1)
    changes = {"instance_id": instance, "metrics_port": port}
    with plant.another("worker", worker=changes) as processes:
        yield processes


@contextmanager
def second_sink(plant: Plant) -> Iterator[Processes]:
    """One more sink of the group for the length of the block."""
    (port,) = free_ports(1)
    changes = {"instance_id": "sink-2", "postgres_metrics_port": port}
    with plant.another("sink-postgres", sink=changes) as processes:
        yield processes


def _zombie(plant: Plant, name: str, point: str, session_sec: float) -> None:
    """Stop whoever passes the point, until another has taken over; then let it go on."""
    in_mid_work(plant, name)
    plant.carry_out(point, Action.STOP)
    time.sleep(session_sec + BREATH_SEC)
    _caught_up(plant)
    plant.continue_all()
    in_mid_work(plant, name)


def _one_less(plant: Plant) -> None:
    """A static member says no farewell: its session must end before others have its partitions.

    Two that went at once would be missed one after the other.
    """
    time.sleep(plant.settings.worker.session_timeout_sec + BREATH_SEC)
    _caught_up(plant)


def _caught_up(plant: Plant) -> None:
    until(lambda: waiting(plant) < 2 * RATE, "the others take over")
