"""One scenario from an empty pipeline to its judgement: load, inject, heal, drain, judge."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from connections import span
from faults import incidents
from faults.load import Load
from faults.moments import drained
from faults.plant import Plant, plant
from faults.scenario import Measured, Scenario, Session, Trial
from faults.supervised import FaultError, NotRunnableError
from ledger.findings import Fault, Findings
from ledger.run import run as judge
from plantwatch.messages import score_event_from_bytes
from producers.manifest import FOLDER as MANIFESTS

KEPT_LOGS: Final = Path(".local/faults")
"""The logs of the processes of a failed scenario."""

_ALWAYS: Final = {"published": (1.0, float("inf")), "incidents_wrong": (0.0, 0.0)}
"""Limits of every scenario."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a scenario. `why`: how it failed, or why it could not run; "" when all held."""

    name: str
    seed: int
    ran: bool
    ok: bool
    why: str
    seconds: float
    figures: Mapping[str, Any]
    measured: Mapping[str, float]


def run(scenario: Scenario, session: Session, seed: int) -> Result:
    """Run one scenario; whatever goes wrong in it is told in the result."""
    began, ran = time.monotonic(), True
    home = session.home / "".join(c if c.isalnum() else "-" for c in scenario.name)
    figures: dict[str, Any] = {}
    measured: Measured = {}
    try:
        findings, measured = _play(scenario, session, home, Random(f"{seed} {scenario.name}"))
        figures, why = findings.document(), _verdict(scenario, findings, measured)
    except NotRunnableError as error:
        ran, why = False, str(error)
    except Exception as error:  # noqa: BLE001  the other scenarios still have their turn
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if ran and why:
        kept = KEPT_LOGS / home.name
        shutil.copytree(home / "log", kept, dirs_exist_ok=True)
        shutil.copytree(session.servers.home / "log", kept / "servers", dirs_exist_ok=True)
    seconds = round(time.monotonic() - began, 1)
    return Result(scenario.name, seed, ran, ran and not why, why, seconds, figures, measured)


def _play(
    scenario: Scenario, session: Session, home: Path, rng: Random
) -> tuple[Findings, Measured]:
    models = shutil.copytree(session.models, home / "models")
    with scenario.around(session) as around:
        environ = {"MODEL_CACHE": str(models), **scenario.environ, **around.environ}
        with plant(
            session.servers,
            session.configs,
            home,
            environ,
            sabotage=scenario.sabotage,
            names=scenario.names,
        ) as made:
            with _loaded(scenario, Trial(session, made, rng, around.proxy)) as trial:
                measured = scenario.inject(trial) or {}
            measured["drain_sec"] = round(drained(made), 1)
            findings = judge(made.settings, home / MANIFESTS, lambda _done, _of: None)
            measured |= _scores(made) | incidents.compared(made.settings)
            if trial.load is not None:
                _check_arrived(trial.load.sent, findings)
            return findings, measured


@contextmanager
def _loaded(scenario: Scenario, trial: Trial) -> Iterator[Trial]:
    """Readings come for the length of the block; all of them are acknowledged after it."""
    if scenario.source is None:
        yield trial
        return
    load = Load(trial.plant.settings, scenario.source(trial), scenario.rate, scenario.burst)
    load.start()
    try:
        yield Trial(trial.session, trial.plant, trial.rng, trial.proxy, load)
    except BaseException:
        load.abandon()
        raise
    if scenario.ends:
        load.finish()
    else:
        load.stop()


def _check_arrived(acknowledged: int, findings: Findings) -> None:
    if acknowledged != findings.published:
        raise FaultError(f"{acknowledged} acknowledged, {findings.published} on the topic")


def _scores(made: Plant) -> Measured:
    """What the messages on `scores` tell.

    `redone`: beyond one for each reading, which harms nobody; `models`: how many made them;
    `longest_sec`: by Kafka's clock, from a reading's publication to its first verdict.
    """
    topic = made.settings.topics.scores
    seen: set[str] = set()
    models: set[str] = set()
    redone, longest = 0, 0
    for message in span.read(made.settings, topic, span.held(made.settings, topic)):
        event = score_event_from_bytes(message.value() or b"")
        models.add(event.model_digest)
        if event.id in seen:
            redone += 1
        else:
            seen.add(event.id)
            longest = max(longest, message.timestamp()[1] - event.published_at)
    return {"redone": redone, "models": len(models), "longest_sec": round(longest / 1000, 1)}


def _verdict(scenario: Scenario, findings: Findings, measured: Measured) -> str:
    """Why the scenario has failed; "" if it has not."""
    if scenario.sabotage:
        lost = findings.number(Fault.LOST)
        return "" if lost else "a pipeline that loses readings was not found out"
    failures = [
        f"{number} x {fault.name.lower()}: {example}"
        for fault, (number, example) in findings.faults.items()
    ]
    known: dict[str, float] = {**measured, "dead": findings.dead, "published": findings.published}
    for name, (least, most) in {**_ALWAYS, **scenario.limits}.items():
        if not least <= known[name] <= most:
            failures.append(f"{name} is {known[name]:g}, not {least:g} to {most:g}")
    return "; ".join(failures)
