"""configs/datasets/*.yaml as frozen objects: NASA's files, the simulated fleet, and your own."""

from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from annotated_types import Len
from pydantic import Field, ValidationError

from data.fleet import SENSORS, SETTINGS
from plantwatch.configuration import read_yaml
from plantwatch.errors import ConfigError
from plantwatch.settings.section import Positive, Seconds, Section

CONFIGS: Final = Path("configs")
"""Where the datasets are described unless a command is told otherwise."""

PerSetting = Annotated[tuple[float, ...], Len(SETTINGS, SETTINGS)]
PerSensor = Annotated[tuple[float, ...], Len(SENSORS, SENSORS)]
Deciles = Annotated[tuple[float, ...], Len(11, 11)]
Factors = tuple[Deciles, Deciles]
T = TypeVar("T", bound=Section)


class Download(Section):
    """Where NASA's archive is, tried in this order, and the folder that its files go to."""

    addresses: tuple[str, ...]
    folder: Path
    timeout_sec: Seconds


class Cmapss(Section):
    """`files` maps a file's name to its sha256 in hex."""

    download: Download
    files: dict[str, str]


class Columns(Section):
    """What the columns of a CSV are called; see configs/datasets/pumps.yaml."""

    machine: str
    time: str
    settings: tuple[str, ...] = ()
    sensors: Annotated[tuple[str, ...], Len(min_length=1)]
    remaining: str | None = None


class Table(Section):
    """A data set of one's own: two CSV files with the same columns."""

    source: str
    train: Path
    test: Path
    columns: Columns


class _TableFile(Section):
    """`settings` is read, and checked, by `plantwatch.configuration`."""

    table: Table
    settings: dict[str, Any]


class SimulatedFleet(Section):
    """`stand_ins` names, for a subset that nobody fitted, the one whose parameters it borrows."""

    seed: int
    engines: Positive
    stand_ins: dict[str, str]


class Life(Section):
    """Deciles (0 %, 10 % ... 100 %) of the cycles that engines live, and that a test leaves unseen;
    every test engine is seen for `min_observed` cycles.
    """

    cycles: Deciles
    unseen: Deciles
    min_observed: Positive


class Fault(Section):
    """A way to fail: the share of engines that do, and the deciles of their ends' factors."""

    share: float = Field(gt=0, le=1)
    end: Factors


class Wear(Section):
    """`start` are the deciles of the factors by which new engines differ."""

    steepness: float = Field(gt=0)
    start: Factors
    faults: Annotated[tuple[Fault, ...], Len(min_length=1)]


class Decimals(Section):
    """How many decimals each column has in NASA's files."""

    settings: Annotated[tuple[int, ...], Len(SETTINGS, SETTINGS)]
    sensors: Annotated[tuple[int, ...], Len(SENSORS, SENSORS)]


class FaultDrift(Section):
    """How far a fault has moved the sensors at the end of life, and by its two factors."""

    drift: PerSensor
    end: tuple[PerSensor, PerSensor]


class Regime(Section):
    """An operating regime: its share of the rows, its settings, and what the sensors show in it:
    their healthy mean, white noise around it, what a new engine's two factors add, the faults.
    """

    share: float = Field(gt=0, le=1)
    settings_mean: PerSetting
    settings_spread: PerSetting
    mean: PerSensor
    spread: PerSensor
    start: tuple[PerSensor, PerSensor]
    faults: Annotated[tuple[FaultDrift, ...], Len(min_length=1)]


class Operation(Section):
    regimes: Annotated[tuple[Regime, ...], Len(min_length=1)]


class Engines(Section):
    """What `plantwatch simulate fit` writes: how engines of one subset live and fail."""

    life: Life
    wear: Wear
    decimals: Decimals
    operation: Operation


class _SimulatedFile(Section):
    fleet: SimulatedFleet


class Simulated(Section):
    """All that `data.simulate` needs to draw the fleet of a subset."""

    subset: str
    fleet: SimulatedFleet
    engines: Engines


def cmapss(configs: Path) -> Cmapss:
    """NASA's files, as `configs`/datasets/cmapss.yaml describes them; raises as `simulated`."""
    return _checked(configs / "datasets" / "cmapss.yaml", Cmapss)


def table(configs: Path, name: str) -> Table | None:
    """The data set of one's own called `name`, None where there is none; raises as `simulated`."""
    path = configs / "datasets" / f"{name}.yaml"
    if not path.is_file() or "table" not in read_yaml(path):
        return None
    return _checked(path, _TableFile).table


def simulated(configs: Path, subset: str) -> Simulated:
    """The parameters of the simulated `subset`, its own or those of its stand-in.

    Raises:
        ConfigError: a file is missing, or a key or value does not fit; names it.
    """
    path = configs / "datasets" / "simulated.yaml"
    fleet = _checked(path, _SimulatedFile).fleet
    fitted = engines_file(configs, subset)
    if not fitted.exists():
        fitted = engines_file(configs, fleet.stand_ins.get(subset, subset))
    return Simulated(subset=subset, fleet=fleet, engines=_checked(fitted, Engines))


def engines_file(configs: Path, subset: str) -> Path:
    """Where the fitted parameters of `subset` are kept."""
    return configs / "datasets" / f"simulated-{subset}.yaml"


def _checked(path: Path, kind: type[T]) -> T:
    try:
        return kind.model_validate(read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {key}: {first['msg']}; mend it there") from None
