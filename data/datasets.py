"""configs/datasets/*.yaml as frozen objects: NASA's files, and the simulated fleet."""

from pathlib import Path
from typing import Annotated, Final, TypeVar

from annotated_types import Len
from pydantic import Field, ValidationError

from data.fleet import SENSORS, SETTINGS
from plantwatch.configuration import read_yaml
from plantwatch.errors import ConfigError
from plantwatch.settings import Positive, Seconds, Section

CONFIGS: Final = Path("configs")
"""Where the datasets are described unless a command is told otherwise."""

PerSetting = Annotated[tuple[float, ...], Len(SETTINGS, SETTINGS)]
PerSensor = Annotated[tuple[float, ...], Len(SENSORS, SENSORS)]
Cycles = tuple[Positive, Positive]
T = TypeVar("T", bound=Section)


class Download(Section):
    addresses: tuple[str, ...]
    folder: Path
    timeout_sec: Seconds


class Cmapss(Section):
    """`files` maps a file's name to its sha256 in hex."""

    download: Download
    files: dict[str, str]


class SimulatedFleet(Section):
    seed: int
    engines: Positive
    life: Cycles
    test_rul: Cycles
    min_observed: Positive


class SimulatedSettings(Section):
    mean: PerSetting
    spread: PerSetting


class Degradation(Section):
    decay_cycles: float = Field(gt=0)
    severity_spread: float = Field(ge=0)
    decimals: Positive


class SimulatedSensors(Section):
    mean: PerSensor
    spread: PerSensor
    drift: PerSensor


class Simulated(Section):
    fleet: SimulatedFleet
    settings: SimulatedSettings
    degradation: Degradation
    sensors: SimulatedSensors


def cmapss(configs: Path) -> Cmapss:
    """NASA's files, as `configs`/datasets/cmapss.yaml describes them; raises as `simulated`."""
    return _checked(configs / "datasets" / "cmapss.yaml", Cmapss)


def simulated(configs: Path) -> Simulated:
    """The parameters of the simulation.

    Raises:
        ConfigError: the file is missing, or a key or value does not fit; names it.
    """
    return _checked(configs / "datasets" / "simulated.yaml", Simulated)


def _checked(path: Path, kind: type[T]) -> T:
    try:
        return kind.model_validate(read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {key}: {first['msg']}; mend it there") from None
