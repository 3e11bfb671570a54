"""Messages that differ from those of the corpus by a few accidents; what a seed makes is fixed."""

import random
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.support.corpus import cases

LONGEST: Final = 2000
"""Bytes of a message that is worth mutating: the longer the rarer is a hit."""

# Where one JSON value may stand in for another: a number, a string, a word, an empty container.
_TOKEN: Final = re.compile(rb'-?\d[\d.eE+-]*|"(?:[^"\\]|\\.)*"|true|false|null|\[\]|\{\}')
_TOKENS: Final = (
    *(b"0", b"-0", b"1", b"-1", b"1.0", b"1e0", b"true", b"false", b"null", b"NaN", b"-Infinity"),
    *(b"9223372036854775807", b"9223372036854775808", b"-9223372036854775809", b"1e999"),
    *(b"18446744073709551616", b"3.4028235677973362e38", b"3.4028235677973366e38", b"1e-400"),
    *(b"9" * 400, b"[]", b"{}", b'""', b"[0,0,0]", b"[[0]]", b'"FD001-engine-001"', b'"\\ud800"'),
    *(b'"\\u0000"', b'"\\u200b"', b'"2026-11-23T02:15:11Z"', b'"0000-01-01T00:00:00Z"'),
    *(b'"2016-12-31T23:59:60Z"', b'"9999-12-31T23:59:59.9999999Z"', b"[" * 300 + b"]" * 300),
)
_NAMES: Final = (b"schema_version", b"sensor_id", b"cycle", b"event_time", b"settings", b"sensors")


class Mutant(NamedTuple):
    """A message as it arrives."""

    key: bytes | None
    value: bytes


def mutants(seed: int, number: int) -> Iterator[Mutant]:
    """So many messages, each of 1 to 5 accidents; about every other starts from a valid one."""
    rng = random.Random(seed)
    whole = [case for case in cases() if case.value is not None and len(case.value) <= LONGEST]
    valid = [case for case in whole if case.verdict == "accepted"]
    for _ in range(number):
        origin = rng.choice(valid if rng.random() < 0.5 else whole)
        value = bytearray(origin.value or b"")
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            rng.choice(_ACCIDENTS)(rng, value)
        yield Mutant(origin.key, bytes(value))


def _other_byte(rng: random.Random, value: bytearray) -> None:
    if value:
        value[rng.randrange(len(value))] = rng.randrange(256)


def _other_bit(rng: random.Random, value: bytearray) -> None:
    if value:
        value[rng.randrange(len(value))] ^= 1 << rng.randrange(8)


def _lost(rng: random.Random, value: bytearray) -> None:
    at = rng.randrange(len(value) + 1)
    del value[at : at + rng.randrange(1, 9)]


def _doubled(rng: random.Random, value: bytearray) -> None:
    at = rng.randrange(len(value) + 1)
    value[at:at] = value[at : at + rng.randrange(1, 9)]


def _moved(rng: random.Random, value: bytearray) -> None:
    at, to = rng.randrange(len(value) + 1), rng.randrange(len(value) + 1)
    piece = value[at : at + rng.randrange(1, 9)]
    value[to : to + len(piece)] = piece


def _other_token(rng: random.Random, value: bytearray) -> None:
    found = list(_TOKEN.finditer(value))
    if found:
        start, end = rng.choice(found).span()
        value[start:end] = rng.choice(_TOKENS)


def _repeated_member(rng: random.Random, value: bytearray) -> None:
    """Before all others or after them: the last of a name is the one that counts."""
    member = b'"%b":%b' % (rng.choice(_NAMES), rng.choice(_TOKENS))
    if rng.random() < 0.5 and (at := value.find(b"{")) >= 0:
        value[at + 1 : at + 1] = member + b","
    elif (at := value.rfind(b"}")) >= 0:
        value[at:at] = b"," + member


_ACCIDENTS: Final = (
    *(_other_byte, _other_bit, _lost, _doubled, _moved),
    *(_other_token, _repeated_member),
)
