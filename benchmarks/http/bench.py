"""The API measured: rising load, the most it takes beside a bare server, batches, many clients.

Both servers are processes of their own on one and the same core, never at once; whoever asks has
another. Rates of one run may be compared; those of two may not.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from api.window import columns
from benchmarks.http.load import flat_out, post, steady
from benchmarks.laboratory import train
from benchmarks.processes import Child, running
from benchmarks.results import FOLDER
from data import datasets
from data.simulate import simulate
from local_stack.free import free_ports
from local_stack.pipeline import command
from local_stack.process import listens
from models.cache import load_production
from models.card import ModelType
from plantwatch.configuration import with_changes
from plantwatch.errors import UnavailableError
from plantwatch.features import FeatureSpec
from plantwatch.settings import Settings
from training.dataset import cut

LOG: Final = FOLDER / "api.log"
_RATES: Final = (50, 100, 200, 400, 600, 800, 1000, 1200, 1600)
"""Requests/s, from the everyday one that the targets speak of to more than one core bears."""
_RATE_SEC: Final = 10.0
_LEAST: Final = 1000
"""Requests at each rate, or its p99 would be of a handful."""
_TOO_SLOW_MS: Final = 1000.0
"""A median above this is a queue that grows: a higher rate would only make it longer."""
_FLAT_OUT_SEC: Final = 5.0
_WARM_UP_SEC: Final = 1.0
_CLIENTS: Final = 16
"""Enough that a server on one core always has a request at hand."""
_MANY: Final = 200
"""Clients at once, all of which must be answered."""
_PATIENCE_SEC: Final = 30.0
_PAUSE_SEC: Final = 0.05


@dataclass(frozen=True, slots=True)
class Rate:
    """Latencies, in ms, at so many requests a second: `wanted`, and `held`, those answered."""

    wanted: float
    held: float
    p50: float
    p99: float
    most: float
    failed: int


def run(
    settings: Settings, configs: Path, model: ModelType, rounds: int, show: Callable[[str], None]
) -> dict[str, Any]:
    """Train a model of this type in a moment, and measure by it; the figures of the command's JSON.

    `show` is called with what is being measured.

    Raises:
        UnavailableError: a server did not come up, or failed.
    """
    fleet = simulate(datasets.simulated(configs, "FD001"), "train")
    with tempfile.TemporaryDirectory(prefix="plantwatch-bench-") as name:
        cache = Path(name)
        train(fleet, settings, model, cache)
        own = with_changes(settings, "model", cache=cache)
        windows = cut(fleet, settings.window.length).values[: settings.api.max_batch_size]
        return _Bench(own, {"MODEL_CACHE": name}, windows, show).run(rounds)


@dataclass(frozen=True)
class _Bench:
    """A model in the cache of `settings`, windows to be judged by it; `show` gets what is done."""

    settings: Settings
    environ: Mapping[str, str]
    windows: NDArray[np.float32]
    show: Callable[[str], None]

    def run(self, rounds: int) -> dict[str, Any]:
        """All figures, as `.local/bench/api.json` has them."""
        detector = load_production(self.settings)
        bodies = [_body(detector.card.features, window) for window in self.windows]
        singles = [post("/detect", orjson.dumps(one)) for one in bodies]
        batch = [post("/detect/batch", orjson.dumps({"windows": bodies}))]
        with _own_core(1):
            with self._served(command("serve")) as port:
                rates = list(self._rates(port, singles))
                one_ms, batch_ms = _single_and_batch(port, singles, batch, rounds)
                many = asyncio.run(flat_out(port, singles, _MANY, _FLAT_OUT_SEC))
            flat = list(self._in_turn(singles, rounds))
        return {
            "model": detector.card.model_type,
            "window": len(singles[0]),
            "rates": [asdict(one) for one in rates],
            "flat_out": {
                "plantwatch": [ours for ours, _ in flat],
                "bare": [bare for _, bare in flat],
            },
            "one_ms": one_ms,
            "batch_ms": batch_ms,
            "batch": len(bodies),
            "many": {
                "clients": _MANY,
                "per_s": many.per_second,
                "p99": many.at(0.99),
                "failed": many.failed,
            },
        }

    def _rates(self, port: int, singles: Sequence[bytes]) -> Iterator[Rate]:
        asyncio.run(steady(port, singles, _RATES[0], 100))  # the first ones warm it up
        for rate in _RATES:
            self.show(f"{rate} requests/s")
            number = max(_LEAST, round(rate * _RATE_SEC))
            found = asyncio.run(steady(port, singles, rate, number))
            yield Rate(
                rate, found.per_second, found.at(0.5), found.at(0.99), found.at(1), found.failed
            )
            if found.at(0.5) > _TOO_SLOW_MS:
                return

    def _in_turn(self, singles: Sequence[bytes], rounds: int) -> Iterator[tuple[float, float]]:
        """Requests a second of the API and of the bare server, a pair a round."""
        for number in range(rounds):
            self.show(f"flat out, round {number + 1}")
            with self._served(command("serve")) as port:
                ours = _flat_out(port, singles)
            with self._served((sys.executable, "-m", "benchmarks.http.bare")) as port:
                yield ours, _flat_out(port, singles)

    @contextmanager
    def _served(self, argv: Sequence[str]) -> Iterator[int]:
        """A server on the first core, answering at this port.

        Raises:
            UnavailableError: it did not come up.
        """
        (port,) = free_ports(1)
        environ = {**self.environ, "API_PORT": str(port)}
        with running(["taskset", "--cpu-list", "0", *argv], environ, LOG) as child:
            _await(port, child)
            yield port


def _single_and_batch(
    port: int, singles: Sequence[bytes], batch: Sequence[bytes], rounds: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of one window and of a batch, in turn."""
    one_ms, batch_ms = [], []
    for _ in range(10 * rounds):
        one_ms.append(asyncio.run(steady(port, singles, _RATES[0], 10)).at(0.5))
        batch_ms.append(asyncio.run(steady(port, batch, 1, 1)).at(0.5))
    return one_ms, batch_ms


def _flat_out(port: int, singles: Sequence[bytes]) -> float:
    """Requests a second, once it is warm."""
    asyncio.run(flat_out(port, singles, _CLIENTS, _WARM_UP_SEC))
    found = asyncio.run(flat_out(port, singles, _CLIENTS, _FLAT_OUT_SEC))
    if found.failed:
        raise UnavailableError(f"{found.failed} requests failed; read {LOG}")
    return found.per_second


def _body(features: FeatureSpec, window: NDArray[np.float32]) -> dict[str, Any]:
    """A window of the stream as a request; its numbers as the files write them."""
    places = [*range(len(features.setting_scale)), *features.columns.tolist()]
    assert len(places) == len(columns(features))
    rows = [[round(float(value), 4) for value in row[places]] for row in window]
    return {"sensor_id": "engine_001", "window": rows, "timestamp": "2024-01-15T09:23:11Z"}


def _await(port: int, child: Child) -> None:
    deadline = time.monotonic() + _PATIENCE_SEC
    while time.monotonic() < deadline and child.poll() is None:
        with suppress(OSError):
            if listens(port):
                return
        time.sleep(_PAUSE_SEC)
    raise UnavailableError(f"a server did not come up; read {LOG}")


@contextmanager
def _own_core(number: int) -> Iterator[None]:
    """Keep this process to one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
