"""Each machine's first alarm, held against what is known of its end."""

from collections.abc import Mapping
from dataclasses import dataclass

from data.fleet import Fleet
from demo.account import Identity
from plantwatch.alarms import first_alarm
from plantwatch.settings import AlarmRule


@dataclass(frozen=True, slots=True)
class Machine:
    """One engine at the end of its record.

    `rul` is the truth: cycles it had left after its last row. `alarm` is the cycle of its first
    alarm, `anomalous` how many of its verdicts were.
    """

    sensor_id: str
    cycles: int
    rul: int
    near_failure: bool
    alarm: int | None
    anomalous: int


def judge(
    fleet: Fleet, stored: Mapping[Identity, bool], rule: AlarmRule, label_rul: int
) -> list[Machine]:
    """Every machine, in the fleet's order; near its failure with less than `label_rul` left."""
    machines = []
    for engine, rows in fleet.slices.items():
        sensor_id, rul = fleet.sensor_id(engine), int(fleet.rul[rows.stop - 1])
        cycles = [int(cycle) for cycle in fleet.cycle[rows] if (sensor_id, int(cycle)) in stored]
        verdicts = [stored[sensor_id, cycle] for cycle in cycles]
        alarm = first_alarm(verdicts, rule.hits, rule.of)
        machines.append(
            Machine(
                sensor_id=sensor_id,
                cycles=rows.stop - rows.start,
                rul=rul,
                near_failure=rul < label_rul,
                alarm=None if alarm is None else cycles[alarm],
                anomalous=sum(verdicts),
            )
        )
    return machines
