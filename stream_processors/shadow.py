"""What a challenger makes of the windows that production has judged; it can stop nothing."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plantwatch.scoring import Detector, UnscorableError, Verdicts

_TRIES: Final = 4
"""Model calls per chunk at most: a challenger without answers must not cost one for each window."""


class Shadow(NamedTuple):
    """The verdicts on the windows numbered `rows`, in their order; `why` the others have none."""

    rows: list[int]
    verdicts: Verdicts | None
    why: str = ""


def shadow(challenger: Detector, windows: NDArray[np.float32]) -> Shadow:
    """Judge n windows with a model that nobody relies on, as far as it can; raises nothing.

    One model call; a few more where there are windows that it has no answer for.
    """
    rows, why = list(range(len(windows))), ""
    for _ in range(_TRIES):
        if not rows:
            break
        try:
            return Shadow(rows, challenger.score(windows[rows]), why)
        except UnscorableError as error:
            why = why or f"window {error}"
            rows.pop(error.row)
        except Exception as error:  # noqa: BLE001  whatever it is, production goes on
            return Shadow([], None, " ".join(str(error).split())[:160] or repr(error))
    return Shadow([], None, why)
