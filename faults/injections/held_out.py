"""Engines that the model never saw, replayed again and again under kills: the same incidents."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Final

from data import cmapss
from data.fleet import Fleet
from evaluation.trials import Trial as Fold
from evaluation.trials import parted
from faults import incidents
from faults.injections import processes
from faults.moments import SINK, WORKER, drained
from faults.readings import Sent, rows_of
from faults.scenario import Around, Measured, Session, Trial
from faults.supervised import NotRunnableError, until
from faults.trained import version
from models.cache import Role, write_named
from plantwatch.messages import Incident
from plantwatch.scoring import TOLERANCE
from plantwatch.settings import Settings

REPLAYS: Final = 10
RATE: Final = 200.0
"""Readings a second: a replay lasts longer than what is done to the pipeline meanwhile."""
_SUBSET: Final = "FD001"
_FOLD: Final = Fold(seed=0, fold=0)
_STOPPED_SEC: Final = 12.0
"""Longer than a session: the group gives the stopped worker up."""


@contextmanager
def unseen(session: Session) -> Iterator[Around]:
    """In production is a model that was fitted and calibrated on the other engines."""
    settings, cache = session.servers.settings, session.home / "held-out-model"
    cache.mkdir()
    others, _ = _fleets(session)
    named = version(others, settings, cache, _FOLD.seed, "direction_mixture")
    write_named(cache, Role.PRODUCTION, named)
    yield Around({"MODEL_CACHE": str(cache)})


def replays(trial: Trial) -> Iterator[Sent]:
    """The held-out engines' lives, each time as other machines: `<engine>/<replay>`."""
    rows = list(rows_of(_fleets(trial.session)[1]))
    for number in range(REPLAYS):
        for row in rows:
            yield replace(row, machine=f"{row.machine}/{number}").sent()


def killed_in_each(trial: Trial) -> Measured:
    """Worker and sink killed in each replay, the worker stopped and continued in one of them.

    `one_each`: machines with one incident; `differing`: those whose incidents are not those of the
    same engine in the first replay; `on_healthy`: incidents that opened with more cycles left than
    an alarm on time may have; `lead_median`: cycles left at the opening.
    """
    plant, load = trial.plant, trial.load
    assert load is not None
    _, held_out = _fleets(trial.session)
    for number in range(REPLAYS):
        begun = number * len(held_out.cycle)
        until(lambda: load.sent > begun, f"replay {number} begins")  # noqa: B023 (called at once)
        processes.killed(SINK, 1)(trial)
        processes.killed(WORKER, 1)(trial)
        if number == REPLAYS // 2:
            plant.processes.freeze(WORKER, _STOPPED_SEC)
    load.finish()
    drained(plant)
    return {"kills": 2 * REPLAYS, "stops": 1} | _measured(plant.settings, held_out)


def _measured(settings: Settings, fleet: Fleet) -> Measured:
    found = incidents.stored(settings)
    last = {
        fleet.sensor_id(engine): int(fleet.cycle[rows].max())
        for engine, rows in fleet.slices.items()
    }
    leads = [
        last[engine] - one.opened_cycle
        for engine in last
        for number in range(REPLAYS)
        for one in found.get(f"{engine}/{number}", [])
    ]
    return {
        "machines": REPLAYS * len(last),
        "one_each": sum(len(each) == 1 for each in found.values()),
        "differing": sum(
            not _same(found.get(f"{engine}/{number}", []), found.get(f"{engine}/0", []))
            for engine in last
            for number in range(REPLAYS)
        ),
        "on_healthy": sum(lead > settings.evaluation.on_time[1] for lead in leads),
        "lead_median": median(leads or [0]),
    }


def _same(found: list[Incident], others: list[Incident]) -> bool:
    """The same incidents, wherever their readings lie.

    A score may differ by `TOLERANCE` with the batch that its window was in, so the peak is held to
    that, and which of two equal peaks it was, and what moved it, is not asked.
    """
    near = [
        abs(one.peak_score - other.peak_score) <= TOLERANCE
        for one, other in zip(found, others, strict=False)
    ]
    return all(near) and list(map(_course, found)) == list(map(_course, others))


def _course(one: Incident) -> tuple[object, ...]:
    return (
        *(one.severity, one.opened_at, one.opened_cycle, one.escalated_at),
        *(one.last_at, one.last_cycle, one.anomalies, one.closed_at, one.closed_why),
    )


def _fleets(session: Session) -> tuple[Fleet, Fleet]:
    """The engines that a model may be made from, and those that are held out."""
    if session.cmapss is None:
        raise NotRunnableError("NASA's files are not here: `make download-data`, or CMAPSS_DIR")
    fleet = cmapss.read(session.cmapss, _SUBSET, "train", "NASA C-MAPSS")
    return parted(_FOLD, fleet, session.servers.settings)
