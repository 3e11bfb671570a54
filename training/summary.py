"""What a representation says of the fit windows, as heads are fitted to it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from plantwatch.scoring import Float64
from training.dataset import Windows


@dataclass(frozen=True, eq=False)
class Summary:
    """x [n, D] = (numbers - `centre`) / `spread` of n `windows`, standardised on the `normal` ones.

    A number that never moves is divided by 1.
    """

    x: Float64
    windows: Windows
    normal: NDArray[np.bool_]
    centre: Float64
    spread: Float64

    @classmethod
    def of(cls, numbers: Float64, windows: Windows, normal: NDArray[np.bool_]) -> Self:
        centre, spread = numbers[normal].mean(axis=0), numbers[normal].std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        return cls((numbers - centre) / spread, windows, normal, centre, spread)
