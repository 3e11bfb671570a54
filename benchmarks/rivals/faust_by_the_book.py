"""Faust as its documentation teaches it: a Record, a topic, an agent, a Table, its own driver.

The window of a machine is the value of a Table, which Faust keeps in memory and logs to a changelog
topic; each window is scored by itself, each score sent and awaited.

    faust -A benchmarks.rivals.faust_by_the_book worker  (settings: from the environment)
"""

from datetime import datetime
from typing import Final

import faust
import numpy as np

from benchmarks.rivals import rules
from models.cache import load_production
from plantwatch.decode import Reading
from plantwatch.instants import to_microseconds


class Row(faust.Record, serializer="json", coerce=False):
    """One message of `readings`."""

    schema_version: int
    sensor_id: str
    cycle: int
    event_time: str
    settings: list[float]
    sensors: list[float]


_OWN: Final = rules.settings()
_DETECTOR: Final = load_production(_OWN)

app = faust.App(
    _OWN.worker.group_id,
    broker=[f"kafka://{server}" for server in _OWN.kafka.bootstrap_servers.split(",")],
    topic_partitions=_OWN.kafka.partitions,
    consumer_auto_offset_reset="earliest",
    broker_commit_interval=_OWN.worker.commit_interval_sec,
    datadir=str(rules.state_folder(_OWN)),
    web_enabled=False,
)
readings = app.topic(_OWN.topics.readings, value_type=Row)
scores = app.topic(_OWN.topics.scores, key_serializer="raw", value_serializer="raw")
anomalies = app.topic(_OWN.topics.anomalies, key_serializer="raw", value_serializer="raw")
windows = app.Table("windows", default=list, partitions=_OWN.kafka.partitions)


@app.agent(readings)
async def score(rows: faust.StreamT[Row]) -> None:
    """Score each row's window once there is one."""
    async for row in rows:
        # A machine's cycles begin anew with each pass of the fleet.
        before = windows[row.sensor_id] if row.cycle > 1 else []
        window = [*before, [*row.settings, *row.sensors]][-_OWN.window.length :]
        windows[row.sensor_id] = window
        if len(window) == _OWN.window.length:
            await _send(_judge(row, window))


def _judge(row: Row, window: list[list[float]]) -> rules.Output:
    time = to_microseconds(datetime.fromisoformat(row.event_time))
    reading = Reading(row.sensor_id, row.cycle, time, window[-1])
    verdicts = _DETECTOR.score(np.array([window], np.float32))
    return rules.output_of(reading, verdicts, 0, _DETECTOR)


async def _send(output: rules.Output) -> None:
    await scores.send(key=output.key, value=output.value)
    if output.is_anomaly:
        await anomalies.send(key=output.key, value=output.value)
