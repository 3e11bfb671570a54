"""Readings to publish: an endless plant, a fleet's own rows, machines that nobody has."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import Final, NamedTuple

from data.fleet import Fleet
from plantwatch.instants import to_iso
from plantwatch.messages import SensorReading
from producers import replay

ORIGIN: Final = 1_767_225_600_000_000
"""Event time of cycle 0 (2026-01-01), in microseconds."""


class Sent(NamedTuple):
    """One message of `readings`."""

    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Row:
    """A reading before it is bytes; `time` is in cycles since `ORIGIN`."""

    machine: str
    cycle: int
    time: int
    settings: list[float]
    sensors: list[float]

    def sent(self) -> Sent:
        reading = SensorReading(
            sensor_id=self.machine,
            cycle=self.cycle,
            event_time=to_iso(replay.event_time(ORIGIN, self.time)),
            settings=self.settings,
            sensors=self.sensors,
        )
        return Sent(self.machine.encode(), reading.to_bytes())


Stream = Iterator[Row]


def endless(fleet: Fleet, machines: int, prefix: str = "m") -> Stream:
    """`machines` that run on for ever, each like an engine of the fleet over and over again."""
    lives = [
        (fleet.settings[rows].tolist(), fleet.sensors[rows].tolist())
        for rows in fleet.slices.values()
    ]
    for cycle in count(1):
        for machine in range(machines):
            settings, sensors = lives[machine % len(lives)]
            at = (cycle - 1) % len(sensors)
            yield Row(f"{prefix}{machine:06d}", cycle, cycle, settings[at], sensors[at])


def rows_of(fleet: Fleet) -> Iterator[Row]:
    """A fleet's own rows: every engine's cycle 1, then every cycle 2, and so on."""
    for row in replay.order(fleet, fleet.slices, {}).tolist():
        machine, cycle = fleet.identity(row)
        yield Row(machine, cycle, cycle, fleet.settings[row].tolist(), fleet.sensors[row].tolist())


def some(stream: Stream, number: int) -> list[Row]:
    """The next rows of a stream."""
    return list(islice(stream, number))


def encoded(rows: Iterable[Row]) -> Iterator[Sent]:
    return (row.sent() for row in rows)


def made_up(number: int, like: Row) -> Iterator[Row]:
    """Machines that nobody has, of one reading each."""
    return (replace(like, machine=f"made-up-{n}", cycle=1, time=1) for n in range(number))
