"""What a challenger makes of the windows that production has judged; it can stop nothing.

It runs on the worker's own event loop, so it may neither raise nor take long.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plantwatch.scoring import Detector, answers
from stream_processors.outputs import Output, shadow_verdict
from stream_processors.partition import Judged

_CHUNKS: Final = 20
"""That a budget looks back on: one slow chunk says nothing, and twenty pass within seconds."""


class Shadow(NamedTuple):
    """What to produce, how many windows it `scored` and `failed` on, why, and CPU seconds taken.

    `disagreed` is on how many windows it finds an anomaly where production finds none, or the
    other way round.
    """

    outputs: list[Output]
    windows: Counter[str]
    why: str = ""
    seconds: float = 0.0
    disagreed: int = 0


def shadow(
    challenger: Detector,
    scored: Sequence[Judged],
    windows: NDArray[np.float32],
    production: NDArray[np.bool_],
    clock: Callable[[], float],
) -> Shadow:
    """Judge n windows with a model that nobody relies on, as far as it can; raises nothing.

    `scored` are the readings that the windows end with, `production` [n] whether each is anomalous
    to the model in use; `clock` tells seconds. What is wrong with verdicts that cannot be made
    messages ends here, too.
    """
    began, outputs, why, disagreed = clock(), list[Output](), "", 0
    try:
        rows, verdicts = answers(challenger, windows)
        if verdicts is not None:
            outputs = [
                shadow_verdict(scored[index], verdicts, row, challenger)
                for row, index in enumerate(rows)
            ]
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
