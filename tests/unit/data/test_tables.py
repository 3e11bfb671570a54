"""What a person who brings a CSV of their own sees of the reader."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data import tables
from data.datasets import Columns, Table
from plantwatch.errors import BadDataError

HEADER = "machine,when,rpm,hum,heat,left"
ROWS = [
    "B,2026-01-01T01:00:00Z,10,0.5,20,7",
    "A,2026-01-01T03:00:00Z,11,1.5,22,0",
    "B,2026-01-01T00:00:00Z,12,2.5,24,8",
    "A,2026-01-01T03:30:00+02:00,13,3.5,26,1",
]
"""Machines and times in no order; the last is at half past one in UTC."""


def table(
    folder: Path, remaining: str | None = "left", settings: tuple[str, ...] = ("rpm",)
) -> Table:
    columns = Columns(
        machine="machine",
        time="when",
        settings=settings,
        sensors=("hum", "heat"),
        remaining=remaining,
    )
    return Table(source="a test", train=folder / "a.csv", test=folder / "a.csv", columns=columns)


def write(folder: Path, *lines: str) -> None:
    (folder / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


# Machines keep their names, and their readings are counted in the order of time.
def test_rows_become_machines(tmp_path: Path) -> None:
    write(tmp_path, HEADER, *ROWS)
    fleet = tables.read(table(tmp_path), "own", "train")
    assert [fleet.sensor_id(engine) for engine in fleet.engine] == ["B", "B", "A", "A"]
    assert fleet.cycle.tolist() == [1, 2, 1, 2]
    assert fleet.rul.tolist() == [8, 7, 1, 0]
    assert fleet.settings.tolist() == [[12], [10], [13], [11]]
    assert fleet.sensors.tolist() == [[2.5, 24], [0.5, 20], [3.5, 26], [1.5, 22]]
    assert (fleet.subset, fleet.split, fleet.source) == ("own", "train", "a test")


# Without a column that says how long it has got, a machine fails at its last reading; machines
# need no settings.
def test_lives_end_with_the_last_row(tmp_path: Path) -> None:
    write(tmp_path, HEADER, *ROWS)
    fleet = tables.read(table(tmp_path, remaining=None, settings=()), "own", "train")
    assert fleet.rul.tolist() == [1, 0, 1, 0]
    assert fleet.values.shape == (4, 2)


# The same readings under other names are another data set: a replay of them is another pass.
def test_names_are_part_of_the_data(tmp_path: Path) -> None:
    write(tmp_path, HEADER, *ROWS)
    before = tables.read(table(tmp_path), "own", "train")
    write(tmp_path, HEADER, *(row.replace("B,", "C,") for row in ROWS))
    after = tables.read(table(tmp_path), "own", "train")
    assert np.array_equal(before.values, after.values)
    assert before.data_hash != after.data_hash


def changed(row: int, old: str, new: str) -> Callable[[list[str]], list[str]]:
    """The file with some text in one of its rows (from 0) replaced."""
    return lambda lines: [
        line.replace(old, new) if number == row + 1 else line for number, line in enumerate(lines)
    ]


# What cannot be used is one line with the file, its line and what is wrong.
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (changed(1, "1.5", "much"), "line 3: hum 'much' is no finite number"),
        (changed(1, "1.5", ""), "line 3: hum '' is no finite number"),
        (changed(1, "1.5", "inf"), "line 3: hum 'inf' is no finite number"),
        (changed(1, "1.5", "1e39"), "line 3: hum '1e39' is no finite number"),
        (changed(2, "2026-01-01T00:00:00Z", "noon"), "line 4: when 'noon' is no time"),
        (changed(2, "T00:00", "T01:00"), "line 4: its machine has this time already"),
        (changed(0, "B,", ","), "line 2: machine '' is no name"),
        (changed(0, "B,", "x" * 65 + ","), "is no name of 1 to 64 printable characters"),
        (changed(3, ",1", ",-1"), "line 5: left '-1' is no whole number"),
        (changed(3, ",1", ",1.5"), "line 5: left '1.5' is no whole number"),
        (changed(3, ",26,1", ",26"), "line 5: left '' is no whole number"),
        (changed(3, ",1", ",1,9"), "is no CSV in UTF-8"),
        (lambda lines: [lines[0], *(f"{line},9" for line in lines[1:])], "more values than"),
        (lambda lines: [lines[0].replace("hum", "hmu"), *lines[1:]], "has no column hum, but"),
        (lambda lines: lines[:1], "no rows"),
        (lambda _: [], "is no CSV"),
    ],
)
def test_a_mistake_is_named(
    tmp_path: Path, spoil: Callable[[list[str]], list[str]], says: str
) -> None:
    write(tmp_path, *spoil([HEADER, *ROWS]))
    with pytest.raises(BadDataError) as refused:
        tables.read(table(tmp_path), "own", "train")
    message = str(refused.value)
    assert str(tmp_path / "a.csv") in message
    assert says in message
    assert "\n" not in message


# A file that is not there, or no text, is refused with what to do.
def test_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match=r"a.csv: No such file .*bring-your-own-data"):
        tables.read(table(tmp_path), "own", "train")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadDataError, match="is no CSV in UTF-8"):
        tables.read(table(tmp_path), "own", "train")
