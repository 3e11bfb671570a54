"""NASA's C-MAPSS text files to a `Fleet` and back: 26 space-separated columns, no header."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data import validate
from data.fleet import SUBSETS, Fleet, Split, rul_of
from plantwatch.errors import BadDataError, ConfigError


def rows_file(subset: str, split: Split) -> str:
    """NASA's name of the file with the rows of a split."""
    return f"{split}_{subset}.txt"


def rul_file(subset: str) -> str:
    """NASA's name of the file with what is left of each test engine's life after its last row."""
    return f"RUL_{subset}.txt"


def check_subset(subset: str) -> None:
    """Refuse a name that is none of the four.

    Raises:
        ConfigError: it is not; the caller prints it and exits.
    """
    if subset not in SUBSETS:
        raise ConfigError(
            f"unknown data set {subset!r}; choose one of {', '.join(SUBSETS)}, or describe it in "
            f"configs/datasets/{subset}.yaml"
        )


def read(folder: Path, subset: str, split: Split, source: str) -> Fleet:
    """Read one split from `folder`; the RUL of every row follows from where its engine ends.

    Raises:
        ConfigError: there is no such subset.
        BadDataError: a file is missing, unreadable or malformed; names file and line.
    """
    check_subset(subset)
    path = folder / rows_file(subset, split)
    frame = validate.frame(path, _text(path), validate.ROWS)
    engine = frame["unit"].to_numpy()
    cycle = frame["cycle"].to_numpy()
    after_last = np.zeros(int(engine[-1]), np.int64)
    if split == "test":
        after_last = _remaining(folder / rul_file(subset), units=len(after_last))
    return Fleet(
        subset=subset,
        split=split,
        source=source,
        engine=engine,
        cycle=cycle,
        settings=frame[validate.SETTING_COLUMNS].to_numpy(),
        sensors=frame[validate.SENSOR_COLUMNS].to_numpy(),
        rul=rul_of(engine, cycle, after_last),
    )


def write(fleet: Fleet, folder: Path) -> None:
    """Write `fleet` as NASA's files are written, so that `read` gives the same numbers back."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"unit": fleet.engine, "cycle": fleet.cycle}
    values = pd.DataFrame(np.hstack([fleet.settings, fleet.sensors]))
    frame = pd.concat([pd.DataFrame(columns), values], axis=1)
    _write_text(frame, folder / rows_file(fleet.subset, fleet.split))
    if fleet.split == "test":
        last = [rows.stop - 1 for rows in fleet.slices.values()]
        _write_text(pd.DataFrame(fleet.rul[last]), folder / rul_file(fleet.subset))


def _write_text(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, sep=" ", header=False, index=False, lineterminator="\n")


def _remaining(path: Path, units: int) -> NDArray[np.int64]:
    remaining = validate.frame(path, _text(path), validate.REMAINING)["rul"].to_numpy()
    if len(remaining) != units:
        why = f"{len(remaining)} values for {units} test units"
        raise validate.refusal(path, len(remaining), why)
    return remaining


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadDataError(
            f"{path}: {error.strerror}; `plantwatch download-data` gets NASA's files"
        ) from None
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise validate.refusal(path, line, "not plain text") from None
