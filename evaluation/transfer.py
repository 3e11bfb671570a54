"""How like NASA's engines the simulated ones are: detectors fitted on the one, judged on the other.

A difference between the rows says what the simulation lacks; alike rows say that a detector can be
tried on made-up engines first.
"""

from collections.abc import Mapping
from itertools import product
from typing import Any, Final

from data.fleet import Fleet
from evaluation import summary
from evaluation.contestants import Contestant, contestants
from evaluation.play import play
from plantwatch.settings import Settings

Pair = tuple[Fleet, Fleet]
"""A fleet to fit on and one to be judged on: the splits `train` and `test`."""

MODELS: Final = ("direction_mixture", "isolation_forest")
"""Those that are fitted in seconds."""


def transfers(fleets: Mapping[str, Pair], settings: Settings, seeds: int) -> dict[str, Any]:
    """Every model fitted on each of the `fleets`, by name, and judged on each; blocks for a minute.

    Threshold and calibration are those of the fleet that it was fitted on.

    Raises:
        BadDataError: too few engines to split, or nothing to fit or to calibrate by.
    """
    players = [one for one in contestants(settings, peers=False) if one.name in MODELS]
    train, _ = next(iter(fleets.values()))
    return {
        "dataset": train.subset,
        "command": f"plantwatch simulate check --dataset {train.subset} --seeds {seeds}",
        "label_rul": settings.anomaly.label_rul,
        "seeds": seeds,
        "data_hashes": {name: [one.data_hash for one in pair] for name, pair in fleets.items()},
        "engines": {name: [len(one.slices) for one in pair] for name, pair in fleets.items()},
        "rows": [
            {"fitted_on": one, "judged_on": other} | row
            for one, other in product(fleets, fleets)
            for row in _rows(players, seeds, fleets[one][0], fleets[other][1])
        ],
    }


def _rows(players: list[Contestant], seeds: int, train: Fleet, test: Fleet) -> list[dict[str, Any]]:
    played = play(players, "official", seeds, train, test)
    return [
        {"model": one.name} | summary.row(played.by_seed(one.name), one.settings) for one in players
    ]
