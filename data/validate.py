"""C-MAPSS text to checked frames; every refusal names the file and its first bad line."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pandera.pandas as pa

from data.fleet import SENSORS, SETTINGS
from plantwatch.errors import BadDataError

SETTING_COLUMNS: Final = [f"setting_{number}" for number in range(1, SETTINGS + 1)]
SENSOR_COLUMNS: Final = [f"sensor_{number}" for number in range(1, SENSORS + 1)]

_POSITIVE = pa.Check.ge(1)
_FINITE = pa.Check(np.isfinite, error="not finite")
_UNITS = pa.Check(
    lambda frame: frame["unit"].diff().fillna(frame["unit"]).isin([0, 1]),
    error="a unit is missing or out of order",
    name="unit",
)
_CYCLES = pa.Check(
    lambda frame: frame["cycle"] == frame.groupby("unit").cumcount() + 1,
    error="cycles of a unit must run 1, 2, ... without holes",
    name="cycle",
)
ROWS: Final = pa.DataFrameSchema(
    {
        "unit": pa.Column("int64", _POSITIVE),
        "cycle": pa.Column("int64", _POSITIVE),
        **{name: pa.Column("float64", _FINITE) for name in SETTING_COLUMNS + SENSOR_COLUMNS},
    },
    checks=[_UNITS, _CYCLES],
    coerce=True,
)
REMAINING: Final = pa.DataFrameSchema({"rul": pa.Column("int64", pa.Check.ge(0))}, coerce=True)


def frame(path: Path, text: str, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Parse the space-separated, headerless `text` of `path` and check it against `schema`.

    Raises:
        BadDataError: a line has too few or too many columns, a value is no finite number, a unit
            or a cycle is missing, the text ends inside a line. The caller gives the file up.
    """
    rows = [line.split() for line in text.splitlines()]
    names = list(schema.columns)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise refusal(path, number, f"{len(row)} columns instead of {len(names)}")
    if not text.endswith("\n"):
        raise refusal(path, len(rows), "the file is empty or cut short")
    try:
        return schema.validate(pd.DataFrame(rows, columns=names), lazy=True)
    except pa.errors.SchemaErrors as error:
        raise _first_failure(path, error.failure_cases) from None


def refusal(path: Path, line: int, why: str) -> BadDataError:
    """The one line a person needs to mend a file."""
    return BadDataError(
        f"{path}, line {line}: {why}; replace the file (`plantwatch download-data` gets NASA's)"
    )


def _first_failure(path: Path, cases: pd.DataFrame) -> BadDataError:
    # Values first: a column with text in it fails the checks of the whole frame on every line.
    # A check that cannot even run on text has no index; the text itself is among the cases.
    cases = cases.dropna(subset=["index"]).sort_values(["schema_context", "index"], kind="stable")
    first = cases.iloc[0]
    if first["schema_context"] == "DataFrameSchema":
        return refusal(path, int(first["index"]) + 1, str(first["check"]))
    why = f"{first['column']} is {first['failure_case']}, which fails {first['check']}"
    return refusal(path, int(first["index"]) + 1, why)
