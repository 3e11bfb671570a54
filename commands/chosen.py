"""Which data set a command is about, the settings that it brings, and which model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from plantwatch.configuration import environment, load
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from training import detectors

if TYPE_CHECKING:
    from data import Fleet, Split

Dataset = Annotated[
    str | None,
    typer.Option(
        help="FD001 to FD004, or one of your own in configs/datasets; else `training.dataset`."
    ),
]


def _known(name: str) -> str:
    detectors.check(name)
    return name


Detector = Annotated[
    str,
    typer.Option(callback=_known, help=f"Type of the model: {', '.join(detectors.names())}."),
]

Seeds = Annotated[int | None, typer.Option(min=1, help="Repetitions; else `evaluation.seeds`.")]

SPLITS: Final[tuple["Split", "Split"]] = ("train", "test")


def configs_of(context: typer.Context) -> Path:
    """The folder of the settings, as `plantwatch --config` has it."""
    return Path(context.find_root().params["config"])


def settings_for(context: typer.Context, dataset: str | None) -> Settings:
    """The settings, as they are with `dataset`, if one is named.

    Raises:
        ConfigError: what the data set brings does not fit.
    """
    if dataset is None:
        return context.ensure_object(Settings)
    return load(configs_of(context), environment() | {"TRAINING_DATASET": dataset})


def fleet_of(context: typer.Context, settings: Settings, split: "Split") -> "Fleet":
    """The fleet of the data set in use.

    Raises:
        ConfigError: its readings are not what the settings say they are; or as `data.load`.
        BadDataError: as `data.load`.
    """
    from data import load as load_fleet  # pandas and pandera take seconds

    fleet = load_fleet(settings.training.dataset, split, environment(), configs_of(context))
    its = fleet.settings.shape[1], fleet.sensors.shape[1]
    if its != (settings.reading.settings, settings.reading.sensors):
        raise ConfigError(
            f"{fleet.subset} has {its[0]} settings and {its[1]} sensors; set reading.settings and "
            f"reading.sensors to that in configs/datasets/{fleet.subset}.yaml"
        )
    return fleet
