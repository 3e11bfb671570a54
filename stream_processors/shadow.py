"""What a challenger makes of the windows that production has judged; it can stop nothing.

It runs on the worker's own event loop, so it may neither raise nor take long.
"""

from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plantwatch.scoring import Detector, Verdicts, answers

if TYPE_CHECKING:
    from stream_processors.chunks import Output

_CHUNKS: Final = 20
"""That a budget looks back on: one slow chunk says nothing, and twenty pass within seconds."""


class Shadow(NamedTuple):
    """What to produce, how many windows it `scored` and `failed` on, why, and CPU seconds taken.

    `disagreed` is on how many windows it finds an anomaly where production finds none, or the
    other way round.
    """

    outputs: "list[Output]"
    windows: Counter[str]
    why: str = ""
    seconds: float = 0.0
    disagreed: int = 0


def shadow(
    challenger: Detector,
    windows: NDArray[np.float32],
    production: NDArray[np.bool_],
    output: "Callable[[int, Verdicts, int], Output]",
    clock: Callable[[], float],
) -> Shadow:
    """Judge n windows with a model that nobody relies on, as far as it can; raises nothing.

    `production` [n] is whether each is anomalous to the model in use. `output` makes a message of a
    window's index and its row of the verdicts: whatever is wrong with these ends here, too. `clock`
    tells seconds.
    """
    began, outputs, why, disagreed = clock(), [], "", 0
    try:
        rows, verdicts = answers(challenger, windows)
        if verdicts is not None:
            outputs = [output(index, verdicts, row) for row, index in enumerate(rows)]
            disagreed = int((verdicts.is_anomaly != production[rows]).sum())
        if len(rows) < len(windows):
            why = "the model has no finite score for the readings"
    except Exception as error:  # noqa: BLE001  whatever it is, production goes on
        why = " ".join(str(error).split())[:160] or repr(error)
    counts = Counter(scored=len(outputs), failed=len(windows) - len(outputs))
    return Shadow(outputs, counts, why, clock() - began, disagreed)


class Budget:
    """How much of the work on the last chunks was the challenger's."""

    def __init__(self, max_share: float) -> None:
        """`max_share` of the time that a chunk takes in all."""
        self._max_share = max_share
        self._spent: deque[tuple[float, float]] = deque(maxlen=_CHUNKS)

    def spend(self, shadow: float, total: float) -> None:
        """Seconds of one chunk: the challenger's, and all."""
        self._spent.append((shadow, total))

    @property
    def share(self) -> float:
        """The challenger's part of the time, in [0, 1]."""
        shadow, total = (sum(column) for column in zip(*self._spent, strict=True))
        return shadow / total if total else 0.0

    @property
    def exceeded(self) -> bool:
        """Whether it took too much; never said before there are enough chunks to say so."""
        return len(self._spent) == _CHUNKS and self.share > self._max_share
