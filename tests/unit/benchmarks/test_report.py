"""The file, the table and the picture of the benchmark."""

import json
from pathlib import Path

import pytest

from benchmarks import report, results, worker
from benchmarks.stretch import Moment
from benchmarks.systems import System
from benchmarks.worker import Load, Round

ROUNDS = [
    Round("plain", 1000.0, 100.0),
    Round("plantwatch", 1500.0, 60.0),
    Round("plain", 3000.0, 120.0),
    Round("plantwatch", 3500.0, 80.0),
]


# The README is generated from this shape, rounds in their order.
def test_the_file_has_every_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = results.save("worker", report.figures(ROUNDS))
    assert json.loads(path.read_text()) == {
        "plain": {"readings_per_s": [1000.0, 3000.0], "cpu_us_per_reading": [100.0, 120.0]},
        "plantwatch": {"readings_per_s": [1500.0, 3500.0], "cpu_us_per_reading": [60.0, 80.0]},
    }


# Systems that could not run are simply not in the table.
def test_a_row_is_median_range_and_ratio() -> None:
    assert list(report.rows(report.figures(ROUNDS))) == [
        ("plain", 2000.0, 1000.0, 3000.0, 110.0, 1.0),
        ("plantwatch", 2500.0, 1500.0, 3500.0, 70.0, 1.25),
    ]


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    report.draw(report.figures(ROUNDS), tmp_path / "worker.png")
    assert (tmp_path / "worker.png").read_bytes().startswith(b"\x89PNG")


# Warm-up readings count: ten readings for eight scores; and CPU is per reading.
def test_a_stretch_becomes_a_rate() -> None:
    first, last = Moment(80, 10.0, 1.0), Moment(480, 14.0, 3.0)
    one = worker._round(System("plain", ()), first, last, Load(readings=1000, scores=800))
    assert (one.readings_per_s, one.cpu_us_per_reading) == pytest.approx((125.0, 4000.0))
