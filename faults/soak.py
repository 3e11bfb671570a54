"""Random faults under load for minutes: everything at once, then one judgement."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from signal import SIGINT, SIGKILL
from typing import Any, Final

from faults.injections.members import second_sink, second_worker
from faults.load import Load
from faults.plant import Plant, plant
from faults.readings import encoded, endless
from faults.replaying import Replaying
from faults.run import MACHINES, Session
from ledger.findings import Findings
from ledger.run import run as judge
from producers.manifest import FOLDER as MANIFESTS

RATE: Final = 600.0
"""Readings a second, beside those of the replays (300 a second)."""
PER_TEN_MINUTES: Final = {
    "worker killed": 14,
    "sink killed": 12,
    "producer killed": 8,
    "worker stopped": 4,
    "sink stopped": 3,
    "broker killed": 6,
    "PostgreSQL stopped": 6,
    "worker joins or leaves": 8,
}
"""How often each fault happens in ten minutes, at least once in any soak."""
_LONGEST_STOP_SEC: Final = 15.0
"""Longer than a session: sometimes another has taken over, sometimes not."""


@dataclass(frozen=True, slots=True)
class Soaked:
    """What was done, and the judgement; `readings_per_s` is the mean over the soak."""

    seed: int
    minutes: float
    done: Counter[str]
    readings_per_s: float
    drain_sec: float
    findings: Findings

    def document(self) -> dict[str, Any]:
        """All of it as JSON, the ledger's object among it."""
        return {
            "seed": self.seed,
            "minutes": self.minutes,
            "faults": dict(self.done),
            "readings_per_s": round(self.readings_per_s),
            "drain_sec": round(self.drain_sec, 1),
            "ledger": self.findings.document(),
        }


def soak(session: Session, seed: int, minutes: float, say: Callable[[str], None]) -> Soaked:
    """Run two workers, two sinks and a producer for `minutes`, and let none of them in peace.

    `say` is told of each fault. The same seed gives the same faults in the same order.

    Raises:
        FaultError: the pipeline did not drain within the contract's 120 s.
    """
    home = session.home / f"soak-{seed}"
    environ = {"MODEL_CACHE": str(session.cache)}
    with plant(session.servers, session.configs, home, environ) as made, ExitStack() as stack:
        load = Load(made.settings, encoded(endless(session.fleet, MACHINES)), RATE)
        victims = _Victims(session, made, stack)
        load.start()
        began = time.monotonic()
        for number, (due, fault) in enumerate(schedule(seed, minutes), 1):
            time.sleep(max(0.0, began + due - time.monotonic()))
            say(f"{time.monotonic() - began:5.0f} s  {number}: {fault}")
            victims.strike(fault, Random(f"{seed} {number}"))
        victims.leave_in_peace()
        load.stop()
        seconds = time.monotonic() - began
        drain = made.drained()
        findings = judge(made.settings, home / MANIFESTS, lambda _done, _of: None)
    return Soaked(seed, minutes, victims.done, findings.published / seconds, drain, findings)


def schedule(seed: int, minutes: float) -> Iterator[tuple[float, str]]:
    """Faults with the second each is due, evenly spread, in an order drawn from the seed."""
    counts = {name: max(1, round(n * minutes / 10)) for name, n in PER_TEN_MINUTES.items()}
    faults = [name for name, count in counts.items() for _ in range(count)]
    Random(seed).shuffle(faults)
    for number, fault in enumerate(faults, 1):
        yield number * minutes * 60 / (len(faults) + 1), fault


class _Victims:
    """Everything that can be struck: two of each kind, so that one may take over from the other."""

    def __init__(self, session: Session, made: Plant, stack: ExitStack) -> None:
        self.done: Counter[str] = Counter()
        self._servers = session.servers.processes
        self._plant = made
        self._workers = [made.processes, stack.enter_context(second_worker(made, "worker-2"))]
        self._sinks = [made.processes, stack.enter_context(second_sink(made))]
        self._producer = stack.enter_context(Replaying(session, made, passes=True))
        self._guest = stack.enter_context(ExitStack())
        self._guests = 0

    def strike(self, fault: str, rng: Random) -> None:
        match fault:
            case "worker killed":
                rng.choice(self._workers).kill("worker")
            case "sink killed":
                rng.choice(self._sinks).kill("sink-postgres")
            case "producer killed":
                self._producer.kill()
            case "worker stopped":
                rng.choice(self._workers).frozen("worker", rng.uniform(1, _LONGEST_STOP_SEC))
            case "sink stopped":
                rng.choice(self._sinks).frozen("sink-postgres", rng.uniform(1, _LONGEST_STOP_SEC))
            case "broker killed":
                self._servers.outage("kafka", rng.uniform(0, 3))
            case "PostgreSQL stopped":
                self._servers.outage("postgres", rng.uniform(0, 5), rng.choice([SIGINT, SIGKILL]))
            case "worker joins or leaves":
                self._join_or_leave()
        self.done[fault] += 1

    def leave_in_peace(self) -> None:
        """Heal everything, and let the replay finish its pass."""
        self._guest.close()
        self._plant.continue_all()
        self._producer.finish()

    def _join_or_leave(self) -> None:
        self._guests += 1
        if self._guests % 2:
            self._guest.enter_context(second_worker(self._plant, "guest"))
        else:
            self._guest.close()
