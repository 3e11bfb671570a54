"""`make fuzz`: mutated messages by the million, and how long the decoder and a refusal take.

Run as `python -m tests.support.fuzz SEED N`. The first message that escapes is printed as hex, with
what went wrong, and ends the run with exit code 1.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Final

from rich.progress import track

from plantwatch.decode import decode
from tests.support.corpus import VALID, cases
from tests.support.decoding import SHAPE, verdict_on
from tests.support.mutations import Mutant, mutants
from tests.support.spoilt import Mistake, in_environment, in_files, start_worker

LARGEST: Final = SHAPE.max_bytes
TRIES: Final = 200
KEY: Final = b"FD001-engine-001"


def main(seed: int, number: int) -> int:
    """Print everything; 1 if a message escaped."""
    print(f"seed {seed}, {number:,} mutated messages")
    started = time.perf_counter()
    verdicts: Counter[str] = Counter()
    quiet = not sys.stdout.isatty()
    for mutant in track(mutants(seed, number), "decoding", number, disable=quiet):
        try:
            verdicts[verdict_on(*mutant)] += 1
        except Exception as escaped:  # noqa: BLE001 (whatever it is, it is what we look for)
            return _report(mutant, escaped)
    took = time.perf_counter() - started
    print(f"none escaped, judge and stream agree on all; {took:.0f} s, {number / took:,.0f}/s")
    for verdict, count in verdicts.most_common():
        print(f"  {verdict:<20} {count:>9,}")
    _print_slowest_messages()
    _print_slowest_mistake()
    return 0


def _report(mutant: Mutant, escaped: Exception) -> int:
    print(f"ESCAPED {type(escaped).__name__}: {escaped}")
    print(f"key   {'none' if mutant.key is None else mutant.key.hex()}\nvalue {mutant.value.hex()}")
    return 1


def _print_slowest_messages() -> None:
    """The target is at most 1 ms each."""
    print(f"decode, the best of {TRIES}, in ms:")
    for name, value in large_messages():
        call = partial(decode, KEY, value, SHAPE)
        best = min(_milliseconds(call) for _ in range(TRIES))
        print(f"  {name:<40} {len(value):>6,} bytes  {best:.3f}")


def large_messages() -> Iterator[tuple[str, bytes]]:
    """The most that a message may be, of what takes a parser longest."""
    yield from (
        (case.name, case.value)
        for case in cases()
        if case.value is not None and LARGEST // 2 < len(case.value) <= LARGEST
    )
    for name, begin, repeated, end in (
        ("whole numbers", "[", "7,", "7]"),
        ("fractions of 17 digits", "[", "0.12345678901234567,", "1]"),
        ("objects of one member", "[", '{"a":1},', "1]"),
        ("escapes", '"', "\\u00e9", '"'),
        ("characters of three bytes", '"', "€", '"'),
    ):
        rest = LARGEST - len(_with_sensors(begin + end))
        yield name, _with_sensors(begin + repeated * (rest // len(repeated.encode())) + end)
    names = ",".join(f'"{number:05}":1' for number in range(LARGEST // 11))
    yield "many members", f"{{{names}}}".encode()


def _with_sensors(text: str) -> bytes:
    fields = VALID | {"sensors": text}
    members = ",".join(f'"{name}":{field}' for name, field in fields.items())
    return f"{{{members}}}".encode()


def _print_slowest_mistake() -> None:
    """The target is at most 3 s each."""
    took = [(_milliseconds(partial(_refuse, one)), one) for one in in_files() + in_environment()]
    slowest, mistake = max(took, key=itemgetter(0))
    print(f"{len(took)} mistakes in the configuration, each refused with exit 78")
    print(f"  slowest {slowest / 1000:.2f} s: {mistake.where}, {mistake.name}")


def _refuse(mistake: Mistake) -> None:
    with tempfile.TemporaryDirectory(prefix="plantwatch-") as folder:
        ended = start_worker(mistake, Path(folder))
    assert ended.returncode == 78, ended.stderr


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
