"""Random faults under load for minutes, one upon another, then one judgement."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from signal import SIGINT, SIGKILL
from typing import Any, Final, Self

from faults.injections.members import second_sink, second_worker
from faults.load import Load
from faults.moments import SINK, WORKER, drained
from faults.plant import Plant, plant
from faults.readings import encoded, endless
from faults.replaying import Replaying
from faults.scenario import MACHINES, Session
from faults.supervised import FaultError
from ledger.findings import Findings
from ledger.run import acked
from ledger.run import run as judge
from ledger.sources import cluster
from producers.manifest import FOLDER as MANIFESTS

RATE: Final = 600.0
"""Readings a second, beside those of the replays: 300 on average, with all their ends."""
LEAST: Final = 500.0
"""Readings a second below which a soak says little: it does not count then."""
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


@dataclass(slots=True)
class Soaked:
    """What was done, and the judgement; `why` there is none, or "".

    `readings_per_s` is the mean over the soak.
    """

    seed: int
    minutes: float
    done: Counter[str] = field(default_factory=Counter)
    readings_per_s: float = 0.0
    drain_sec: float = 0.0
    findings: Findings | None = None
    why: str = ""

    @property
    def ok(self) -> bool:
        return self.findings is not None and not self.findings.faults and not self.why

    def document(self) -> dict[str, Any]:
        """All of it as JSON, the ledger's object among it."""
        return {
            "seed": self.seed,
            "minutes": self.minutes,
            "faults": dict(self.done),
            "readings_per_s": round(self.readings_per_s),
            "drain_sec": round(self.drain_sec, 1),
            "why": self.why,
            "ledger": self.findings.document() if self.findings else {},
        }


def soak(session: Session, seed: int, minutes: float, show: Callable[[str], None]) -> Soaked:
    """Run two workers, two sinks and a producer for `minutes`, and let none of them in peace.

    `show` is called with each fault. The same seed gives the same faults at the same seconds. What
    goes wrong stands in the result: nothing is raised.
    """
    soaked = Soaked(seed, minutes)
    home = session.home / f"soak-{seed}"
    environ = {"MODEL_CACHE": str(session.models)}
    try:
        with plant(session.servers, session.configs, home, environ) as made:
            load = Load(made.settings, encoded(endless(session.fleet, MACHINES)), RATE)
            began = time.monotonic()
            load.start()
            try:
                with _Victims(session, made, soaked.done) as victims:
                    for number, fault in _due(seed, minutes, began):
                        show(f"{time.monotonic() - began:5.0f} s  {number}: {fault}")
                        victims.strike(fault, Random(f"{seed} {number}"))
                    victims.leave_in_peace()
                    load.stop()
                    seconds = time.monotonic() - began
                    soaked.drain_sec = drained(made)
            finally:
                load.abandon()
            findings = judge(made.settings, home / MANIFESTS, lambda _done, _of: None)
            soaked.findings, soaked.readings_per_s = findings, findings.published / seconds
            _check_arrived(made, load.sent, home / MANIFESTS, findings)
            _check_busy(soaked.readings_per_s)
    except Exception as error:  # noqa: BLE001  ten minutes are not thrown away
        soaked.why = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return soaked


def schedule(seed: int, minutes: float) -> Iterator[tuple[float, str]]:
    """Faults with the second each is due, evenly spread, in an order drawn from the seed."""
    counts = {name: max(1, round(n * minutes / 10)) for name, n in PER_TEN_MINUTES.items()}
    faults = [name for name, count in counts.items() for _ in range(count)]
    Random(seed).shuffle(faults)
    for number, fault in enumerate(faults, 1):
        yield number * minutes * 60 / (len(faults) + 1), fault


def _due(seed: int, minutes: float, began: float) -> Iterator[tuple[int, str]]:
    """Each fault of the schedule with its number, when it is due."""
    for number, (due, fault) in enumerate(schedule(seed, minutes), 1):
        time.sleep(max(0.0, began + due - time.monotonic()))
        yield number, fault


def _check_arrived(made: Plant, sent: int, manifests: Path, findings: Findings) -> None:
    """The topic holds what was acknowledged: by our own load, and in the replay's last pass."""
    known = sent + sum(1 for _ in acked(manifests, cluster(made.settings)))
    if findings.published < known:
        raise FaultError(f"{known} acknowledged, {findings.published} on the topic")


def _check_busy(readings_per_s: float) -> None:
    if readings_per_s < LEAST:
        raise FaultError(f"{readings_per_s:.0f} readings/s, not {LEAST:.0f}")


class _Victims:
    """Everything that can be struck: two of each kind, so that one may take over from the other.

    Strikes of one kind come one after another, those of different kinds at the same time.
    """

    def __init__(self, session: Session, made: Plant, done: Counter[str]) -> None:
        self._servers = session.servers.processes
        self._plant = made
        self._done = done
        self._strikers: dict[str, ThreadPoolExecutor] = {}
        self._strikes: list[Future[None]] = []
        self._stack = ExitStack()
        self._workers = [made.processes, self._stack.enter_context(second_worker(made, "worker-2"))]
        self._sinks = [made.processes, self._stack.enter_context(second_sink(made))]
        self._producer = self._stack.enter_context(Replaying(session, made, passes=True))
        self._guest = self._stack.enter_context(ExitStack())
        self._guests = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for striker in self._strikers.values():
            striker.shutdown()
        self._stack.close()

    def strike(self, fault: str, rng: Random) -> None:
        """Begin with a fault; whoever is struck already is struck after that."""
        kind = fault.split(maxsplit=1)[0]
        striker = self._strikers.setdefault(kind, ThreadPoolExecutor(1, kind))
        self._strikes.append(striker.submit(self._strike, fault, rng))

    def leave_in_peace(self) -> None:
        """Wait until everything is healed, and let the replay finish its pass.

        Raises:
            FaultError: a strike did not succeed.
        """
        for strike in self._strikes:
            strike.result()
        self._guest.close()
        self._producer.finish()

    def _strike(self, fault: str, rng: Random) -> None:
        acts: dict[str, Callable[[], None]] = {
            "worker killed": lambda: rng.choice(self._workers).kill(WORKER),
            "sink killed": lambda: rng.choice(self._sinks).kill(SINK),
            "producer killed": self._producer.kill,
            "worker stopped": lambda: rng.choice(self._workers).freeze(WORKER, _stop(rng)),
            "sink stopped": lambda: rng.choice(self._sinks).freeze(SINK, _stop(rng)),
            "broker killed": partial(self._servers.outage, "kafka", rng.uniform(0, 3)),
            "PostgreSQL stopped": partial(
                self._servers.outage, "postgres", rng.uniform(0, 5), rng.choice([SIGINT, SIGKILL])
            ),
            "worker joins or leaves": self._join_or_leave,
        }
        acts[fault]()
        self._done[fault] += 1

    def _join_or_leave(self) -> None:
        self._guests += 1
        if self._guests % 2:
            self._guest.enter_context(second_worker(self._plant, "guest"))
        else:
            self._guest.close()


def _stop(rng: Random) -> float:
    return rng.uniform(1, _LONGEST_STOP_SEC)
