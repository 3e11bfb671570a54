"""The table of faults. Each row: load, inject, heal, drain, and the ledger's judgement.

Lost 0, doubled 0, wrong 0 is asked of every one; of the three sabotaged pipelines, that the ledger
finds rows lost under kills that harm nobody else.
"""

import signal
from collections.abc import Iterable
from typing import Final

from data import cmapss
from faults.disorders import (
    a_day_off,
    choking,
    contradicted,
    resent,
    restarting,
    shuffled,
    the_file_twice,
    twice_in_a_row,
    with_gaps,
    with_late_rows,
)
from faults.injections import (
    database,
    held_out,
    incoming,
    members,
    models,
    processes,
    producer,
    scale,
    servers,
)
from faults.moments import SINK, WORKER
from faults.plant import PIPELINE
from faults.points import POINTS, Role
from faults.readings import Sent, encoded, rows_of
from faults.scenario import MACHINES, RATE, Scenario, Trial
from faults.supervised import NotRunnableError

_QUICK_POINTS: Final = {
    "worker-produced-in-part",
    "worker-acked-not-committed",
    "sink-stored-offset-not",
}
_ANY: Final = float("inf")
_OUTAGE: Final = {
    "caught_up_sec": (0.0, 120.0),
    "worker_growth": (-1.0, 0.1),
    "sink_growth": (-1.0, 0.1),
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

    return Scenario(
        f"NASA {subset} train, no fault", processes.nothing, source, rate=None, ends=True
    )


def _disorders() -> Iterable[Scenario]:
    dead = {"dead": (1, _ANY)}
    table = {
        "10 % of the readings come again": (resent(0.1), {}, True),
        "every reading twice in a row": (twice_in_a_row, {}, False),
        "the file twice": (the_file_twice, {}, False),
        "shuffled within 5 places": (shuffled(5), {}, True),
        "gaps of 1, 5, 6 and 40 cycles": (with_gaps, {}, False),
        "readings 100 cycles late": (with_late_rows, {}, False),
        "clocks a day off": (a_day_off, {}, False),
        "second copies with other values": (contradicted, dead, False),
        "machines that start over, cycle 10^9": (restarting, {}, False),
        "readings the model chokes on": (choking, dead, True),
    }
    for name, (disorder, limits, quick) in table.items():
        yield Scenario(
            f"{name}; worker killed",
            processes.killed(WORKER, 2),
            incoming.disorderly(disorder),
            rate=incoming.RATE,
            ends=True,
            environ=_LIMITLESS,
            limits=limits,
            quick=quick,
        )


def _read_backs() -> Iterable[Scenario]:
    """The contract's take-over. Beyond, it takes as much more as from the first to the second."""
    for readings in scale.READ_BACK:
        yield Scenario(
            f"{readings:,} readings to read back",
            scale.taken_over(readings),
            scale.a_long_history(readings),
            burst=readings + 30 * MACHINES,
            limits={
                "take_over_sec": (0, 20),
                "read_back": (readings, _ANY),
            },
            alone=True,
        )


def _sabotages() -> Iterable[Scenario]:
    """Pipelines that deserve to be found out, each beside a sound one that is killed alike."""

    def killed_at(name: str, point: str, sabotage: str = "", *, quick: bool = True) -> Scenario:
        inject = processes.killed_at(point)
        rate = 3 * RATE
        return Scenario(name, inject, rate=rate, sabotage=sabotage, quick=quick)

    worker, sink = "worker-committed", "sink-before-insert"
    yield killed_at("sound: worker killed under a backlog", worker, quick=False)
    yield killed_at("sound: sink killed under a backlog", sink, quick=False)
    yield killed_at("sabotaged: default acknowledgement", worker, "default-acknowledgement")
    yield killed_at("sabotaged: out of order", worker, "out-of-order", quick=False)
    yield killed_at("sabotaged: offset before database", sink, "offset-before-database")


SCENARIOS: Final[tuple[Scenario, ...]] = (
    Scenario("no fault", processes.nothing, incoming.disorderly(resent(0)), rate=None, ends=True),
    _nasa("FD001"),
    _nasa("FD002"),
    *_failpoints(),
    Scenario("worker killed at any moment", processes.killed(WORKER), quick=True),
    Scenario("sink killed at any moment", processes.killed(SINK)),
    Scenario("worker stopped for 30 s", processes.frozen(WORKER)),
    Scenario("sink stopped for 30 s", processes.frozen(SINK)),
    Scenario("producer stopped for 30 s", producer.frozen, source=None),
    Scenario("producer told to stop", producer.terminated, source=None, quick=True),
    Scenario(
        "worker told to stop, scraped",
        processes.terminated(WORKER),
        limits={"longest_stop_sec": (0, 10), "redone": (0, 0)},
        quick=True,
    ),
    Scenario(
        "sink told to stop, scraped",
        processes.terminated(SINK),
        limits={"longest_stop_sec": (0, 10)},
    ),
    Scenario("worker wedged", processes.wedged, environ={"WORKER_WATCHDOG_SEC": "6"}),
    Scenario("zombie worker", members.zombie_worker, limits={"redone": (1, _ANY)}),
    Scenario("zombie sink", members.zombie_sink),
    Scenario(
        "workers 2, 3, 1 under load",
        members.workers_come_and_go,
        limits={"rebalances": (4, _ANY), "longest_sec": (0, 15)},
        alone=True,
    ),
    Scenario("broker killed five times", servers.broker_killed, alone=True),
    Scenario(
        "broker gone for 60 s", servers.away("kafka", signal.SIGKILL), limits=_OUTAGE, alone=True
    ),
    Scenario(
        "broker gone at the start",
        servers.came_before_its_broker,
        around=servers.broker_late,
        alone=True,
    ),
    Scenario(
        "PostgreSQL gone for 60 s",
        servers.away("postgres", signal.SIGINT),
        limits=_OUTAGE,
        alone=True,
    ),
    Scenario("PostgreSQL stopped for 30 s", servers.postgres_frozen, alone=True),
    Scenario(
        "PostgreSQL killed in mid-batch",
        servers.postgres_killed_in_mid_batch,
        quick=True,
        alone=True,
    ),
    Scenario(
        "COMMIT replies cut",
        database.commit_replies_cut,
        around=database.behind_a_proxy,
        quick=True,
    ),
    Scenario("disk full", database.disk_full, alone=True),
    Scenario("PostgreSQL read-only", database.read_only),
    Scenario("table locked", database.locked),
    Scenario("INSERT revoked", database.insert_revoked, quick=True),
    Scenario("rows refused by PostgreSQL", database.rows_refused, limits={"dead": (1, _ANY)}),
    Scenario(
        "held-out engines ten times, killed and stopped",
        held_out.killed_in_each,
        held_out.replays,
        rate=held_out.RATE,
        burst=0,
        ends=True,
        around=held_out.unseen,
        limits={
            "one_each": (200, 200),
            "differing": (0, 0),
            "on_healthy": (0, 0),
            "lead_median": (25, _ANY),
        },
    ),
    Scenario("registry gone", models.registry_gone, names=(*PIPELINE, "registry")),
    Scenario(
        "model swapped under kills",
        models.swapped_under_kills,
        limits={"models": (2, 2)},
        quick=True,
    ),
    Scenario("model damaged", models.damaged, limits={"models": (1, 1)}),
    Scenario(
        "challenger in shadow, killed",
        models.challenged,
        names=(*PIPELINE, models.SHADOW),
        limits={"models": (1, 1), "shadow_judged": (1, _ANY), "shadow_missing": (0, 0)},
    ),
    *_disorders(),
    Scenario(
        "10,000 bad among 50,000 good",
        processes.nothing,
        incoming.poison(50_000, 10_000),
        rate=None,
        ends=True,
        environ=_LIMITLESS,
        limits={"dead": (10_000, 10_000)},
    ),
    Scenario(
        "so much rubbish that a person must look",
        incoming.stopped_by_rubbish,
        incoming.a_machine_gone_mad,
        rate=None,
        ends=True,
        quick=True,
    ),
    Scenario(
        "a million made-up ids",
        incoming.memory_is_bounded,
        incoming.made_up_ids,
        rate=None,
        ends=True,
        limits={"worker_mb": (0, 512), "metrics_kb": (0, 100)},
        alone=True,
    ),
    *_read_backs(),
    Scenario(
        "10^5 machines start together",
        scale.all_are_scored,
        scale.all_start_together,
        rate=None,
        ends=True,
        alone=True,
    ),
    *_sabotages(),
)
