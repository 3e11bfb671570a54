"""Readings to what of each sensor the others do not explain: what drift is looked for in.

A machine that wears moves all its sensors together, and new ones differ in the same directions: a
sensor's value, given those of the others, stays where it was (FD001: within 0.3 spreads to the last
cycle, where the sensors themselves are 4 away). What moves it is the sensor itself, or a process
that training never saw.
"""

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, model_validator

from plantwatch.features import FeatureSpec, Floats, Matrix, Vector, model_input, operation


class DriftReference(BaseModel):
    """What healthy machines of the training data show; travels in a model's card.

    With S sensors: `features` scales a reading to z [S] by its regime, `mixing` [S, S] takes from
    each sensor what the others say of it (a diagonal of 1), `centre` and `spread` [S] standardise
    what is left. `features` is not the model's own: that may know no regimes, or scale by gains.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    features: FeatureSpec
    mixing: Matrix
    centre: Vector
    spread: Vector

    @model_validator(mode="after")
    def _shapes_agree(self) -> Self:
        sensors = len(self.features.sensors)
        if self.features.kind != "sequence":
            raise ValueError("features must be a sequence: readings, scaled")
        if {len(self.mixing), *map(len, (*self.mixing, self.centre, self.spread))} != {sensors}:
            raise ValueError(f"mixing, centre and spread are of {sensors} sensors")
        if min(self.spread) <= 0:
            raise ValueError("spreads must be above 0")
        return self

    @cached_property
    def tables(self) -> tuple[Floats, Floats, Floats]:
        """`mixing`, `centre` and `spread` as float32."""
        mixing, centre, spread = (
            np.asarray(table, np.float32) for table in (self.mixing, self.centre, self.spread)
        )
        return mixing, centre, spread


def scaled(reference: DriftReference, readings: Floats) -> Floats:
    """Each sensor in healthy spreads of its regime, [n, settings + sensors] -> z [n, S]."""
    return model_input(reference.features, readings[:, None])[:, 0]


def residuals(reference: DriftReference, readings: Floats) -> Floats:
    """The same without what the others say of it, in spreads of its own: [n, S].

    Zero on average where machines are as in training, and 1 wide; a sensor that is off by one
    healthy spread is off by 1.2 to 1.9 here. Not finite where readings leave float32's range.
    """
    mixing, centre, spread = reference.tables
    with np.errstate(over="ignore", invalid="ignore"):
        left: Floats = (scaled(reference, readings) @ mixing.T - centre) / spread
    return left


def is_unseen(reference: DriftReference, readings: Floats) -> NDArray[np.bool_]:
    """Which of the readings [n, settings + sensors] are in a regime that training never saw."""
    return operation(reference.features, readings[:, None])[1]
