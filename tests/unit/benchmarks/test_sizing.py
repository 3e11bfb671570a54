"""What a plant needs, from what a reading costs."""

from benchmarks.sizing import need
from plantwatch.configuration import load
from tests.support.servers import CONFIGS

FIGURES = {
    "burst": {"row_bytes": 250},
    "rates": [
        {"rate": 500, "held": True, "cpu_us": {"broker": 900.0, "worker": 400.0}},
        {"rate": 2000, "held": True, "cpu_us": {"broker": 70.0, "worker": 140.0}},
        {"rate": 3000, "held": False, "cpu_us": {"broker": 1.0, "worker": 1.0}},
    ],
    "fleets": [
        {"machines": 100, "bytes_per_machine": 99_999},
        {"machines": 100_000, "bytes_per_machine": 8_000},
    ],
}


# The costs are those of the highest rate that held; cores are left a third for catching up.
def test_cores_follow_the_highest_rate_that_held() -> None:
    found = need(FIGURES, 1.0, load(CONFIGS, {}), 100_000)
    assert found.cores == {"broker": 10, "worker": 20}
    assert found.workers == found.partitions == 20
    assert found.worker_gb == 0.8
    assert found.rows_gb_per_day == 2160


# Slow read-backs ask for workers, and long histories for partitions, whatever the speed.
def test_the_promise_asks_for_workers_too() -> None:
    settings = load(CONFIGS, {"WINDOW_HISTORY": "64", "WINDOW_HORIZON": "10000"})
    assert need(FIGURES, 2_000.0, settings, 10_000).workers == 63  # 20 s are 158 machines' readings
    found = need(FIGURES, 1.0, settings, 10_000)
    assert found.workers == 2
    assert found.partitions == 63  # a horizon holds the readings of 158 machines
