"""What is published to a pipeline that is to be broken by its input."""

from collections import Counter
from random import Random
from types import SimpleNamespace
from typing import Any

from faults.injections import incoming
from plantwatch.decode import Reading, decode
from plantwatch.settings import Reading as Shape
from tests.support.small_training import small_fleet

SHAPE = Shape(settings=3, sensors=21, max_bytes=65536)


# As much poison as was asked for lies among the good readings, of which none is missing.
def test_poison_lies_among_good_readings() -> None:
    trial: Any = SimpleNamespace(session=SimpleNamespace(fleet=small_fleet("train")), rng=Random(1))
    verdicts = Counter(type(decode(*sent, SHAPE)) for sent in incoming.poison(5000, 1000)(trial))
    assert verdicts.total() == 6000
    assert verdicts[Reading] == 5000
