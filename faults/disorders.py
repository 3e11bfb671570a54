"""The ways in which a plant garbles its readings, each drawn from a seeded generator."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random
from typing import Final

from faults.readings import Row, Sent

_DAY: Final = 86_400
"""In cycles, of one second each."""

Disorder = Callable[[list[Row], Random], Iterable[Row]]


def resent(share: float) -> Disorder:
    """A share of the readings comes again, some while later."""

    def disorder(rows: list[Row], rng: Random) -> Iterable[Row]:
        at = [(n, row) for n, row in enumerate(rows)]
        again = [(n + rng.randrange(1, 2000), row) for n, row in at if rng.random() < share]
        return [row for _, row in sorted(at + again, key=lambda one: one[0])]

    return disorder


def twice_in_a_row(rows: list[Row], _rng: Random) -> Iterable[Row]:
    """Two gateways: every reading arrives twice."""
    return [row for row in rows for _ in range(2)]


def the_file_twice(rows: list[Row], _rng: Random) -> Iterable[Row]:
    """All of it, and then all of it again."""
    return rows + rows


def shuffled(places: int) -> Disorder:
    """Readings of one machine change places within a few of their own."""

    def disorder(rows: list[Row], rng: Random) -> Iterable[Row]:
        machines = len({row.machine for row in rows})
        at = [n + rng.uniform(0, places * machines) for n in range(len(rows))]
        return [rows[n] for n in sorted(range(len(rows)), key=at.__getitem__)]

    return disorder


def with_gaps(rows: list[Row], rng: Random) -> Iterable[Row]:
    """1, 5, 6 or 40 cycles are missing here and there: up to 5 are borne, more begin anew."""
    missing: dict[str, int] = {}
    for row in rows:
        if row.cycle < missing.get(row.machine, 0):
            continue
        yield row
        if rng.random() < 0.02:
            missing[row.machine] = row.cycle + 1 + rng.choice((1, 5, 6, 40))


def with_late_rows(rows: list[Row], rng: Random) -> Iterable[Row]:
    """Some readings come a hundred cycles after their time."""
    held: list[tuple[int, Row]] = []
    machines = len({row.machine for row in rows})
    for n, row in enumerate(rows):
        while held and held[0][0] <= n:
            yield held.pop(0)[1]
        if rng.random() < 0.01:
            held.append((n + 100 * machines, row))
        else:
            yield row
    yield from (row for _, row in held)


def a_day_off(rows: list[Row], rng: Random) -> Iterable[Row]:
    """Clocks of some machines jump a day ahead or back, and stay there for a while."""
    until: dict[str, tuple[int, int]] = {}
    for row in rows:
        if row.machine not in until and rng.random() < 0.003:
            until[row.machine] = row.cycle + rng.randrange(1, 40), rng.choice((-_DAY, _DAY))
        end, shift = until.get(row.machine, (0, 0))
        if row.cycle >= end:
            until.pop(row.machine, None)
            shift = 0
        yield replace(row, time=row.time + shift)


def contradicted(rows: list[Row], rng: Random) -> Iterable[Row]:
    """Some readings come a second time with other values."""
    for row in rows:
        yield row
        if rng.random() < 0.02:
            yield replace(row, sensors=[*row.sensors[:-1], row.sensors[-1] + 1.0])


def choking(rows: list[Row], rng: Random) -> Iterable[Row]:
    """Readings whose numbers are valid and far too large for any model."""
    for row in rows:
        yield replace(row, sensors=[3e38] * len(row.sensors)) if rng.random() < 0.002 else row


def restarting(rows: list[Row], rng: Random) -> Iterable[Row]:
    """Machines begin again at cycle 1, and one claims to be at cycle 10^9 for a moment."""
    began: dict[str, int] = {}
    for row in rows:
        if rng.random() < 0.004:
            began[row.machine] = row.cycle - 1
        cycle = row.cycle - began.get(row.machine, 0)
        yield replace(row, cycle=10**9 if rng.random() < 0.001 else cycle)


def poisoned(good: Sent, rng: Random) -> Sent:
    """A message that no decoder may take, or escape from."""
    assert good.value is not None
    text = good.value.decode()
    key, value = rng.choice(_POISON)(good.key, text)
    return Sent(key, value)


_Poison = Callable[[bytes | None, str], tuple[bytes | None, bytes | None]]

_POISON: Final[tuple[_Poison, ...]] = (
    lambda key, _: (key, None),
    lambda key, _: (key, b""),
    lambda key, text: (key, text[: len(text) // 2].encode()),
    lambda key, text: (key, text.replace("[", "[NaN,", 1).encode()),
    lambda key, text: (key, text.replace("[", "[1e999,", 1).encode()),
    lambda key, text: (key, text.replace("[", "[null,", 1).encode()),
    lambda key, text: (key, text.replace("[", "[0.0,", 1).encode()),
    lambda key, text: (key, text.replace('"cycle":', '"cycle":"7",').encode()),
    lambda key, text: (key, text.replace('"cycle":', '"cycle":1e400,"x":').encode()),
    lambda key, text: (key, text.replace("sensors", "sensor").encode()),
    lambda key, text: (key, text.replace('"event_time":"2', '"event_time":"x').encode()),
    lambda key, text: (key, text.replace('"schema_version":1', '"schema_version":2').encode()),
    lambda key, text: (key, text.replace("{", '{"more":1,', 1).encode()),
    lambda key, text: (key, text.encode("utf-16")),
    lambda key, text: (key, text.encode()[:-1] + b"\xff}"),
    lambda key, text: (key, b"\x00" + text.encode()),
    lambda key, text: (key, b"[" * 60_000 + text.encode()),
    lambda key, text: (key, text.ljust(900_000).encode()),
    lambda _, text: (b"k" * 900_000, text.encode()),
    lambda _, text: (b"somebody-else", text.encode()),
    lambda _, text: (None, text.encode()),
)
"""Tombstone, empty, cut, NaN, infinite, null, one value too many, a wrong type, a doubled member, a
missing one, no time, another schema, an unknown member, another encoding, bad UTF-8, a NUL, deep
nesting, almost a megabyte (more Kafka does not take) of value and of key, another's key, no key.
"""
