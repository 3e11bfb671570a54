"""Where a fleet comes from: a CSV that configs/datasets names, or C-MAPSS.

C-MAPSS is looked for in CMAPSS_DIR, else data/raw, else on the network, else it is simulated.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from data import cmapss, datasets, tables
from data.datasets import Cmapss
from data.download import download, is_official
from data.fleet import Fleet, Split
from data.simulate import simulate
from plantwatch.errors import ConfigError, UnavailableError

NASA: Final = "NASA C-MAPSS"
FOREIGN: Final = "files in C-MAPSS format, not NASA's"

_log = structlog.get_logger()


def load(
    subset: str, split: Split, environ: Mapping[str, str], configs: Path = datasets.CONFIGS
) -> Fleet:
    """The fleet from the first place that has it; its `source` says which in words.

    `subset` is one of NASA's four, or a data set of one's own, `configs`/datasets/`subset`.yaml.
    May block on the network (a download, tried once) when no folder has NASA's files; without a
    network their fleet is simulated.

    Raises:
        ConfigError: no such subset, CMAPSS_DIR is no folder, or a dataset's description is wrong.
        BadDataError: files are there but cannot be used; a CSV is missing.
    """
    described = datasets.table(configs, subset)
    if described is not None:
        return tables.read(described, subset, split)
    try:
        return load_files(subset, split, environ, configs)
    except UnavailableError as error:
        file = cmapss.rows_file(subset, split)
        _log.warning("no C-MAPSS files, simulating a fleet instead", file=file, why=str(error))
        return simulate(datasets.simulated(configs, subset), split)


def load_files(
    subset: str, split: Split, environ: Mapping[str, str], configs: Path = datasets.CONFIGS
) -> Fleet:
    """As `load`, but never a simulated fleet.

    Raises:
        UnavailableError: no folder has the files and there is no network; says what to do.
        ConfigError, BadDataError: as `load`.
    """
    cmapss.check_subset(subset)
    description = datasets.cmapss(configs)
    names = [cmapss.rows_file(subset, split)]
    names += [cmapss.rul_file(subset)] if split == "test" else []
    folder = find(names[0], description, environ) or download(description)
    official = all(is_official(folder / name, description) for name in names)
    return cmapss.read(folder, subset, split, source=NASA if official else FOREIGN)


def find(name: str, description: Cmapss, environ: Mapping[str, str]) -> Path | None:
    """The folder on this machine that has the file `name`; None if none has.

    Raises:
        ConfigError: CMAPSS_DIR is no folder.
    """
    folders = [*_named_folder(environ), description.download.folder]
    return next((folder for folder in folders if (folder / name).exists()), None)


def _named_folder(environ: Mapping[str, str]) -> list[Path]:
    named = environ.get("CMAPSS_DIR")
    if not named:
        return []
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise ConfigError(f"CMAPSS_DIR={named} is no folder; mend or unset it")
    return [folder]
