"""What the demonstration says of each machine."""

from demo.machines import judge
from plantwatch.settings import AlarmRule
from tests.support.small_training import small_fleet


# A machine is in alarm by the rule that is given, which may be its model's own.
def test_an_alarm_follows_the_rule() -> None:
    fleet = small_fleet("test")
    engine = next(iter(fleet.slices))
    sensor_id = fleet.sensor_id(engine)
    stored = {(sensor_id, cycle): cycle in {31, 33, 34} for cycle in range(30, 36)}
    alarms = {
        str(rule): judge(fleet, stored, rule, label_rul=30)[0].alarm
        for rule in (AlarmRule(hits=1, of=1), AlarmRule(hits=2, of=3), AlarmRule(hits=3, of=3))
    }
    assert alarms == {"1 of 1": 31, "2 of 3": 33, "3 of 3": None}
