"""A CSV of one's own to a `Fleet`: whose columns are what, its description says.

Rows may stand in any order; a machine's readings are numbered 1, 2, ... in the order of their time.
Every refusal names the file and its first bad line.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.datasets import Columns, Table
from data.fleet import Fleet, Split, cycles, rul_of
from plantwatch.errors import BadDataError
from plantwatch.messages import MAX_SENSOR_ID

_HEADER_LINES: Final = 1


def read(table: Table, name: str, split: Split) -> Fleet:
    """One of the table's two files, as the fleet of the data set `name`.

    Without a column `remaining` each machine fails at its last reading.

    Raises:
        BadDataError: the file is missing, no CSV, or a column or a value is not as it must be.
    """
    path = table.train if split == "train" else table.test
    columns = table.columns
    frame = _text(path, columns)
    machine, names = pd.factorize(frame[columns.machine])
    _check_names(path, frame[columns.machine])
    time = _times(path, frame[columns.time])
    order = np.lexsort((time, machine))
    _check_order(path, machine[order], time[order], order)
    numbers = _numbers(path, frame, [*columns.settings, *columns.sensors])[order]
    engine = (machine[order] + 1).astype(np.int64)
    cycle = cycles(np.bincount(engine)[1:])
    rul = rul_of(engine, cycle, np.zeros(len(names), np.int64))
    if columns.remaining is not None:
        rul = _remaining(path, frame, columns.remaining)[order]
    return Fleet(
        subset=name,
        split=split,
        source=table.source,
        engine=engine,
        cycle=cycle,
        settings=numbers[:, : len(columns.settings)],
        sensors=numbers[:, len(columns.settings) :],
        rul=rul,
        names=tuple(names),
    )


def _text(path: Path, columns: Columns) -> pd.DataFrame:
    """The file as it is written; a value that is missing in it is no text."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)
    except OSError as error:
        raise BadDataError(f"{path}: {error.strerror}; see docs/bring-your-own-data.md") from None
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        why = " ".join(str(error).split())
        raise BadDataError(f"{path} is no CSV in UTF-8 ({why}); mend the file") from None
    wanted = [columns.machine, columns.time, *columns.settings, *columns.sensors]
    wanted += [columns.remaining] if columns.remaining else []
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise BadDataError(
            f"{path} has no column {', '.join(missing)}, but {', '.join(frame.columns)}; "
            "mend the file or its description in configs/datasets"
        )
    if frame.empty or not isinstance(frame.index, pd.RangeIndex):
        raise _refusal(path, 0, "no rows" if frame.empty else "more values than the header names")
    return frame


def _check_names(path: Path, names: pd.Series) -> None:
    fit = [isinstance(n, str) and 0 < len(n) <= MAX_SENSOR_ID and n.isprintable() for n in names]
    _check(path, names, np.array(fit), f"no name of 1 to {MAX_SENSOR_ID} printable characters")


def _times(path: Path, column: pd.Series) -> NDArray[np.int64]:
    found = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce")
    _check(path, column, found.notna().to_numpy(), "no time like 2026-01-31T09:30:00Z")
    return found.dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)


def _check_order(
    path: Path, machine: NDArray[np.intp], time: NDArray[np.int64], order: NDArray[np.intp]
) -> None:
    """Whether each machine's times differ; `order` has the rows' places in the file."""
    same = np.flatnonzero((np.diff(machine) == 0) & (np.diff(time) == 0))
    if len(same):
        raise _refusal(path, int(order[same + 1].min()), "its machine has this time already")


def _numbers(path: Path, frame: pd.DataFrame, names: Collection[str]) -> NDArray[np.float64]:
    """The columns as [n, names]; in the range of float32, which is what the stream takes."""
    columns = []
    for name in names:
        found = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
        with np.errstate(over="ignore"):
            _check(path, frame[name], np.isfinite(found.astype(np.float32)), "no finite number")
        columns.append(found)
    return np.stack(columns, axis=1)


def _remaining(path: Path, frame: pd.DataFrame, name: str) -> NDArray[np.int64]:
    found = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
    whole = np.isfinite(found) & (found >= 0) & (found == np.floor(found))
    _check(path, frame[name], whole, "no whole number of 0 or more")
    return found.astype(np.int64)


def _check(path: Path, column: pd.Series, fit: NDArray[np.bool_], why: str) -> None:
    if not fit.all():
        row = int(np.flatnonzero(~fit)[0])
        raise _refusal(path, row, f"{column.name} {column.iloc[row]!r} is {why}")


def _refusal(path: Path, row: int, why: str) -> BadDataError:
    return BadDataError(f"{path}, line {row + 1 + _HEADER_LINES}: {why}; mend the file")
