"""The table of faults. Each row: load, inject, heal, drain, and the ledger's judgement.

Lost 0, doubled 0, wrong 0 is asked of every one; of the three sabotaged pipelines, that the ledger
finds rows lost under kills that harm nobody else.
"""

import signal
from collections.abc import Iterable
from typing import Final

from data import cmapss
from faults.injections import (
    database,
    incoming,
    members,
    models,
    processes,
    producer,
    scale,
    servers,
)
from faults.plant import PIPELINE, NotRunnableError
from faults.points import POINTS, Role
from faults.readings import (
    Sent,
    a_day_off,
    choking,
    contradicted,
    encoded,
    endless,
    resent,
    restarting,
    rows_of,
    shuffled,
    some,
    the_file_twice,
    twice_in_a_row,
    with_gaps,
    with_late_rows,
)
from faults.run import Scenario, Trial

_QUICK_POINTS: Final = {
    "worker-produced-in-part",
    "worker-acked-not-committed",
    "sink-stored-offset-not",
}
_LIMITLESS: Final = {"REJECTS_MAX_PERCENT": "100", "REJECTS_MAX_IN_A_ROW": "1000000"}


def _failpoints() -> Iterable[Scenario]:
    for name, point in POINTS.items():
        title = f"kill -9 at {name}"
        if point.role is Role.PRODUCER:
            yield Scenario(title, producer.killed_at(name), source=None)
        else:
            yield Scenario(title, processes.killed_at(name), quick=name in _QUICK_POINTS)


def _nasa(subset: str) -> Scenario:
    def source(trial: Trial) -> Iterable[Sent]:
        if trial.session.cmapss is None:
            raise NotRunnableError("NASA's files are not here: `make download-data`, or CMAPSS_DIR")
        return encoded(rows_of(cmapss.read(trial.session.cmapss, subset, "train", "NASA C-MAPSS")))

    return Scenario(f"NASA {subset} train, no fault", processes.nothing, source, rate=None)


def _disorders() -> Iterable[Scenario]:
    table = {
        "10 % of the readings come again": (resent(0.1), True),
        "every reading twice in a row": (twice_in_a_row, False),
        "the file twice": (the_file_twice, False),
        "shuffled within 5 places": (shuffled(5), True),
        "gaps of 1, 5, 6 and 40 cycles": (with_gaps, False),
        "readings 100 cycles late": (with_late_rows, False),
        "clocks a day off": (a_day_off, False),
        "second copies with other values": (contradicted, False),
        "machines that start over, cycle 10^9": (restarting, False),
        "readings the model chokes on": (choking, True),
    }
    for name, (disorder, quick) in table.items():
        yield Scenario(
            f"{name}; worker killed",
            processes.killed("worker", 2),
            incoming.disorderly(disorder),
            rate=None,
            environ=_LIMITLESS,
            quick=quick,
        )


def _sabotages() -> Iterable[Scenario]:
    """The same kills as above, of pipelines that deserve to be found out."""

    def backlog(trial: Trial) -> Iterable[Sent]:
        return encoded(some(endless(trial.session.fleet, 100), 30_000))

    victims = {
        "default-acknowledgement": "worker-committed",
        "out-of-order": "worker-committed",
        "offset-before-database": "sink-before-insert",
    }
    for defect, point in victims.items():
        yield Scenario(
            f"sabotaged: {defect}",
            processes.killed_at(point),
            backlog,
            rate=3000,
            sabotage=defect,
            quick=defect != "out-of-order",
        )


SCENARIOS: Final[tuple[Scenario, ...]] = (
    Scenario("no fault", processes.nothing, incoming.disorderly(resent(0)), rate=None),
    _nasa("FD001"),
    _nasa("FD002"),
    *_failpoints(),
    Scenario("worker killed at any moment", processes.killed("worker"), quick=True),
    Scenario("sink killed at any moment", processes.killed("sink-postgres")),
    Scenario("worker stopped for 30 s", processes.frozen("worker")),
    Scenario("sink stopped for 30 s", processes.frozen("sink-postgres")),
    Scenario("producer stopped for 30 s", producer.frozen, source=None),
    Scenario("producer told to stop", producer.told_to_stop, source=None, quick=True),
    Scenario("worker told to stop, scraped", processes.told_to_stop("worker"), quick=True),
    Scenario("sink told to stop, scraped", processes.told_to_stop("sink-postgres")),
    Scenario("worker wedged", processes.wedged, environ={"WORKER_WATCHDOG_SEC": "6"}),
    Scenario("zombie worker", members.zombie_worker),
    Scenario("zombie sink", members.zombie_sink),
    Scenario("workers 2, 3, 1 under load", members.workers_come_and_go),
    Scenario("broker killed five times", servers.broker_killed),
    Scenario("broker gone for 60 s", servers.away("kafka", signal.SIGKILL)),
    Scenario("broker gone at the start", processes.nothing_for_a_while, around=servers.broker_late),
    Scenario("PostgreSQL gone for 60 s", servers.away("postgres", signal.SIGINT)),
    Scenario("PostgreSQL stopped for 30 s", servers.postgres_frozen),
    Scenario("PostgreSQL killed in mid-batch", servers.postgres_killed_in_mid_batch, quick=True),
    Scenario(
        "COMMIT replies cut",
        database.commit_replies_cut,
        around=database.behind_a_proxy,
        quick=True,
    ),
    Scenario("disk full", database.disk_full),
    Scenario("PostgreSQL read-only", database.read_only),
    Scenario("table locked", database.locked),
    Scenario("INSERT revoked", database.insert_revoked, quick=True),
    Scenario("rows refused by PostgreSQL", database.rows_refused),
    Scenario("registry gone", models.registry_gone, names=(*PIPELINE, "registry")),
    Scenario("model swapped under kills", models.swapped_under_kills, quick=True),
    Scenario("model damaged", models.damaged),
    *_disorders(),
    Scenario(
        "10,000 bad among 50,000 good",
        processes.nothing,
        incoming.poison(50_000, 10_000),
        rate=None,
        environ=_LIMITLESS,
    ),
    Scenario(
        "so much rubbish that a person must look",
        incoming.stopped_by_rubbish,
        incoming.a_machine_gone_mad,
        rate=None,
        quick=True,
    ),
    Scenario("a million made-up ids", incoming.memory_is_bounded, incoming.made_up_ids, rate=None),
    Scenario(
        "a million readings to read back",
        scale.taken_over_quickly,
        scale.a_long_history,
        burst=scale.READ_BACK + 100,
    ),
    Scenario(
        "10^5 machines start together", scale.all_are_scored, scale.all_start_together, rate=None
    ),
    *_sabotages(),
)
