"""Write a made-up fleet of pumps as two CSV files: `python examples/pumps.py .local/pumps`.

An example of data that are not C-MAPSS: one reading an hour, two speeds, five sensors. A pump's
bearing wears: it vibrates and runs warm, while pressure and flow fall. The same files every time.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 20261127
PUMPS = {"train": 24, "test": 12}
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
SPEEDS = (1450.0, 2900.0)  # rpm
SENSORS = {  # healthy at each speed, noise, change to the end of life
    "vibration_mm_s": ((1.8, 2.6), 0.15, 3.0),
    "bearing_temperature_c": ((48.0, 61.0), 0.8, 14.0),
    "discharge_pressure_kpa": ((310.0, 620.0), 4.0, -45.0),
    "flow_l_s": ((14.0, 27.5), 0.25, -2.4),
    "motor_current_a": ((21.0, 44.0), 0.4, 2.5),
}


def pump(name: str, rng: np.random.Generator, *, seen_to_the_end: bool) -> pd.DataFrame:
    """The readings of one pump; half of those that are not seen to the end stop near it."""
    life = int(rng.integers(150, 300))
    left = 0 if seen_to_the_end else int(rng.choice([rng.integers(0, 20), rng.integers(30, 90)]))
    hours = np.arange(life - left)
    begun_fast = rng.random() < 0.5  # and runs for days at one speed
    fast = (rng.random(len(hours)) < 0.02).cumsum() % 2 != begun_fast
    worn = np.expm1(6 * hours / life) / np.expm1(6)
    frame = pd.DataFrame(
        {
            "pump": name,
            "time": [(BEGINNING + timedelta(hours=int(h))).isoformat() for h in hours],
            "speed_rpm": np.where(fast, SPEEDS[1], SPEEDS[0]) + rng.normal(0, 6, len(hours)),
        }
    )
    for sensor, (healthy, noise, change) in SENSORS.items():
        own = rng.normal(0, noise / 2) + change * worn * rng.uniform(0.8, 1.2)
        at_speed = np.where(fast, healthy[1], healthy[0])
        frame[sensor] = at_speed + own + rng.normal(0, noise, len(hours))
    frame["hours_left"] = life - 1 - hours
    return frame.round(3)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    for split, number in PUMPS.items():
        names = [f"pump-{split}-{one:02d}" for one in range(1, number + 1)]
        frames = [pump(name, rng, seen_to_the_end=split == "train") for name in names]
        rows = pd.concat(frames).sort_values(["time", "pump"], kind="stable")
        rows.to_csv(folder / f"{split}.csv", index=False, lineterminator="\n")
        print(f"{folder / split}.csv: {number} pumps, {len(rows):,} readings")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
