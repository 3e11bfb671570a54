"""What a person who brings C-MAPSS files sees of the reader."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data import cmapss
from data.fleet import Fleet, Split, rul_of
from plantwatch.errors import BadDataError, ConfigError

LIVES = (3, 2)
AFTER_LAST = (10, 20)


def fleet(split: Split) -> Fleet:
    """Two engines, of three and two cycles; every number differs."""
    engine = np.repeat([1, 2], LIVES)
    cycle = np.concatenate([np.arange(1, life + 1) for life in LIVES])
    after_last = np.array([0, 0] if split == "train" else AFTER_LAST)
    return Fleet(
        subset="FD003",
        split=split,
        source="made up",
        engine=engine,
        cycle=cycle,
        settings=np.arange(15).reshape(5, 3) / 3,
        sensors=np.arange(105).reshape(5, 21) / 7,
        rul=rul_of(engine, cycle, after_last),
    )


def read(folder: Path) -> Fleet:
    return cmapss.read(folder, "FD003", "test", "made up")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cmapss.write(fleet("test"), tmp_path)
    return tmp_path


# An engine that ran to failure has RUL 0 at its last cycle; one that stopped before has the rest
# that the RUL file states.
def test_rul_counts_down_to_the_end_of_life() -> None:
    assert fleet("train").rul.tolist() == [2, 1, 0, 1, 0]
    assert fleet("test").rul.tolist() == [12, 11, 10, 21, 20]


# Reading what was written gives every number back, bit for bit.
@pytest.mark.parametrize("split", ["train", "test"])
def test_written_files_read_back_equal(tmp_path: Path, split: Split) -> None:
    cmapss.write(fleet(split), tmp_path)
    back = cmapss.read(tmp_path, "FD003", split, "made up")
    assert back.data_hash == fleet(split).data_hash
    assert back.values.dtype == np.float32
    assert back.values.shape == (5, 24)
    assert back.slices == {1: slice(0, 3), 2: slice(3, 5)}
    assert back.sensor_id(2) == "FD003-engine-002"


# The data hash tells apart what differs in one number.
def test_hash_sees_every_number() -> None:
    other = fleet("test")
    other.sensors[4, 20] += 1
    assert other.data_hash != fleet("test").data_hash


# A typo in the subset is answered with the four that there are.
def test_unknown_subset_names_the_four(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"'FD005'.*FD001, FD002, FD003, FD004"):
        cmapss.read(folder, "FD005", "test", "made up")


def _cell(line: int, column: int, value: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        lines = [row.split() for row in text.splitlines()]
        lines[line - 1][column] = value
        return "".join(" ".join(row) + "\n" for row in lines)

    return edit


def _without(line: int) -> Callable[[str], str]:
    return lambda text: "".join(
        row for number, row in enumerate(text.splitlines(keepends=True), 1) if number != line
    )


# Whatever is wrong with a file, one line names the file, the line and the next step.
@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda text: text[:-60], "line 5: .* columns instead of 26"),
        (lambda text: text[:-1], "line 5: .* cut short"),
        (lambda _: "", "line 0: .* empty"),
        (lambda text: text + "1 2 3\n", "line 6: 3 columns"),
        (_cell(2, 7, "abc"), "line 2: sensor_3 is abc"),
        (_cell(2, 7, "nan"), "line 2: sensor_3 is nan"),
        (_cell(2, 7, "1e999"), "line 2: sensor_3 is inf"),
        (_cell(3, 1, "x"), "line 3: cycle is x"),
        (_cell(3, 1, "2.5"), "line 3: cycle is 2.5"),
        (_cell(3, 0, "9" * 30), "line 3: unit is 999"),
        (_cell(3, 0, "0"), "line 3: unit is 0"),
        (_without(1), "line 1: cycles"),
        (_without(2), "line 2: cycles"),
        (lambda text: "".join(text.splitlines(keepends=True)[3:]), "line 1: a unit is missing"),
        (_cell(5, 0, "4"), "line 5: a unit is missing"),
    ],
)
def test_a_bad_row_is_named(folder: Path, edit: Callable[[str], str], why: str) -> None:
    path = folder / "test_FD003.txt"
    path.write_text(edit(path.read_text()))
    with pytest.raises(BadDataError, match=why) as failure:
        read(folder)
    assert str(failure.value).startswith(f"{path}, line ")
    assert "download-data" in str(failure.value)
    assert "\n" not in str(failure.value)


# A RUL file must have one value for each test unit, or every label after the hole is wrong.
@pytest.mark.parametrize(
    ("text", "why"), [("10\n", "1 values for 2 test units"), ("10\n-3\n", "line 2: rul is -3")]
)
def test_a_bad_rul_file_is_named(folder: Path, text: str, why: str) -> None:
    (folder / "RUL_FD003.txt").write_text(text)
    with pytest.raises(BadDataError, match=why):
        read(folder)


# Files that are absent or no text are refused in one line too.
def test_unreadable_files_are_named(folder: Path) -> None:
    (folder / "test_FD003.txt").write_bytes(b"1 2\n\xff\xfe\n")
    with pytest.raises(BadDataError, match="line 2: not plain text"):
        read(folder)
    (folder / "test_FD003.txt").unlink()
    with pytest.raises(BadDataError, match=r"test_FD003.txt: No such file"):
        read(folder)
