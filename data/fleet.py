"""A fleet: the rows of many engines of one subset, as arrays, with the truth about their ends."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Split = Literal["train", "test"]

SUBSETS: Final = ("FD001", "FD002", "FD003", "FD004")
"""NASA's, and so are the numbers below; a data set of your own says its columns itself."""
SETTINGS: Final = 3
SENSORS: Final = 21


def sensor_id(subset: str, engine: int) -> str:
    """An engine's name on the topics, `FD001-engine-001`."""
    return f"{subset}-engine-{engine:03d}"


@dataclass(frozen=True, eq=False)
class Fleet:
    """The n rows of one split, engine after engine, each engine's cycles 1, 2, ... in order.

    A `train` engine runs to failure; a `test` engine stops before it. `source` says in words where
    the rows come from; whoever shows results shows it too.

    Attributes:
        engine: int64 [n], the engine's number, 1, 2, ...
        cycle: int64 [n], 1 at each engine's first row.
        settings: float64 [n, settings], the operating settings: 3 of NASA's engines.
        sensors: float64 [n, sensors], in the units of the source: 21 of NASA's engines.
        rul: int64 [n], remaining useful life in cycles after this row; 0 at failure.
        names: what machines are called, engine 1 first; without them by subset and number.
    """

    subset: str
    split: Split
    source: str
    engine: NDArray[np.int64]
    cycle: NDArray[np.int64]
    settings: NDArray[np.float64]
    sensors: NDArray[np.float64]
    rul: NDArray[np.int64]
    names: tuple[str, ...] = ()

    def sensor_id(self, engine: int) -> str:
        """The machine's name on the topics: its own, or `FD001-engine-001`."""
        return self.names[engine - 1] if self.names else sensor_id(self.subset, engine)

    def identity(self, row: int) -> tuple[str, int]:
        """A row's machine and cycle; no other row has both."""
        return self.sensor_id(int(self.engine[row])), int(self.cycle[row])

    @cached_property
    def values(self) -> NDArray[np.float32]:
        """[n, settings + sensors], rounded to float32 as the stream's decoder does."""
        return np.hstack([self.settings, self.sensors]).astype(np.float32)

    @cached_property
    def slices(self) -> dict[int, slice]:
        """The rows of each engine, by its number, in ascending order."""
        numbers, starts = np.unique(self.engine, return_index=True)
        stops = [*starts[1:].tolist(), len(self.engine)]
        return {
            number: slice(start, stop)
            for number, start, stop in zip(numbers.tolist(), starts.tolist(), stops, strict=True)
        }

    @cached_property
    def data_hash(self) -> str:
        """Sha256 (hex) of subset, split, names and every number, whatever they came from."""
        digest = hashlib.sha256(" ".join((self.subset, self.split, *self.names)).encode())
        for array in (self.engine, self.cycle, self.settings, self.sensors, self.rul):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def cycles(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cycles 1, 2, ... of engines with so many `rows` [engines], engine after engine.

    >>> cycles(np.array([2, 1]))
    array([1, 2, 1])
    """
    return np.arange(1, rows.sum() + 1) - np.repeat(np.cumsum(rows) - rows, rows)


def rul_of(
    engine: NDArray[np.int64], cycle: NDArray[np.int64], after_last: NDArray[np.int64]
) -> NDArray[np.int64]:
    """RUL of every row: its engine's last cycle - cycle + `after_last` [engines] (0: it failed).

    >>> rul_of(np.array([1, 1, 2]), np.array([1, 2, 1]), np.array([0, 7]))
    array([1, 0, 7])
    """
    last = np.bincount(engine - 1)  # cycles run 1, 2, ...: their number is the last of them
    return (last + after_last)[engine - 1] - cycle
