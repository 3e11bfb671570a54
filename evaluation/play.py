"""Every contestant in every trial: from the cache, or fitted now, several at once."""

import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track
from threadpoolctl import threadpool_limits

from data.fleet import Fleet
from evaluation.contestants import Contestant
from evaluation.outcome import CACHE, Outcome, digest
from evaluation.trials import Protocol, Trial, build, plan
from training.fitters import FITTERS

_Job = tuple[Contestant, Trial, Fleet, Fleet, Path]
_NOT_FITTING: Final = {
    *("kafka", "topics", "producer", "worker", "rejects", "sink", "outbox", "postgres", "log"),
    *("metrics", "stack", "model", "mlflow", "evaluation", "alarm_budget", "api", "streamlit"),
    *("grafana", "alerts", "drift"),
}


@dataclass(frozen=True, eq=False)
class Played:
    """A finished evaluation; `outcomes` of a contestant, by name, are in the order of `trials`."""

    fleet: Fleet
    test: Fleet
    protocol: Protocol
    trials: list[Trial]
    players: list[Contestant]
    outcomes: dict[str, list[Outcome]]

    @property
    def seeds(self) -> list[int]:
        return sorted({trial.seed for trial in self.trials})

    def by_seed(self, name: str) -> list[list[Outcome]]:
        """The outcomes of a contestant, a list for each seed."""
        pairs = list(zip(self.trials, self.outcomes[name], strict=True))
        return [[one for trial, one in pairs if trial.seed == seed] for seed in self.seeds]


def play(
    players: list[Contestant], protocol: Protocol, seeds: int, fleet: Fleet, test: Fleet
) -> Played:
    """Fit and score what the cache does not have; blocks for minutes.

    Raises:
        BadDataError: too few engines to split, or nothing to fit or to calibrate by.
        ConfigError: a package is missing.
    """
    trials = plan(protocol, seeds, fleet, players[0].settings)
    files = {(one.name, t): _file(one, t, fleet, test) for one in players for t in trials}
    missing = [(one, t) for t in trials for one in players if not files[one.name, t].exists()]
    jobs = [(one, t, fleet, test, files[one.name, t].absolute()) for one, t in missing]
    console, hidden = Console(stderr=True), not sys.stderr.isatty()
    done = _run(jobs, players[0].settings.evaluation.processes)
    for _ in track(done, "evaluating", len(jobs), console=console, disable=hidden):
        pass
    outcomes = {one.name: [Outcome.read(files[one.name, t]) for t in trials] for one in players}
    return Played(fleet, test, protocol, trials, players, outcomes)


def _run(jobs: list[_Job], processes: int) -> Iterator[None]:
    """Do the jobs, several at once, each process with its share of the cores."""
    if processes == 1 or not jobs:
        for job in jobs:
            _play(*job)
            yield
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with ProcessPoolExecutor(processes, context, _begin, (processes,)) as pool:
        futures = [pool.submit(_play, *job) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
                yield
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _begin(processes: int) -> None:
    """A process of the pool takes its share of the cores, and ends with the one it is for."""
    end_with_parent()
    threadpool_limits(max(1, (os.cpu_count() or 1) // processes))


def end_with_parent() -> None:
    """Let this process of a pool end when the one that it works for has ended, whatever it does.

    A pool's processes hold the queue's both ends: none would notice that nobody wants its work.
    What is being fitted is lost, an outcome that is written is whole.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "only a pool's processes wait for their parent"
    parent.join()
    os._exit(1)


def _play(one: Contestant, trial: Trial, fleet: Fleet, test: Fleet, path: Path) -> None:
    one.play(*build(trial, fleet, test, one.settings), trial.seed).write(path)


def _file(one: Contestant, trial: Trial, fleet: Fleet, test: Fleet) -> Path:
    """Where the outcome is kept, by everything it depends on."""
    facts = {
        "type": one.type,
        "settings": _settings(one),
        "trial": str(trial),
        "folds": one.settings.evaluation.folds if trial.fold is not None else None,
        "data": [fleet.data_hash] + ([test.data_hash] if trial.fold is None else []),
    }
    return CACHE / f"{one.name.replace(' ', '-')}-{trial}-{digest(facts)[:16]}.npz"


def _settings(one: Contestant) -> dict[str, object]:
    """The sections that fitting may read; those of other types of model say nothing.

    A section that nobody has named here only makes the cache forget more often.
    """
    others = set(FITTERS) - {one.type}
    sections = one.settings.model_dump(mode="json", exclude=_NOT_FITTING | others)
    evaluation = one.settings.evaluation
    of_peers = [evaluation.peer_windows, evaluation.pca_variance]
    return sections | ({"peers": of_peers} if one.peer else {})
