"""What would become of readings if they came now, by the window rule, before anybody sends them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from plantwatch.dead_letter import Original
from plantwatch.decode import Reading, decode
from plantwatch.limits import RejectLimits
from plantwatch.settings import Settings
from plantwatch.windows import ReadingClass, Windower


class Logged(Protocol):
    """A message where it stands; what `connections.span` reads is one."""

    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def offset(self) -> int: ...


def predict(
    settings: Settings, tail: Iterable[Logged], end: int, again: Sequence[Original]
) -> list[ReadingClass]:
    """The class of each message, were they put at the end of one partition in this order.

    Args:
        settings: for the window rule and the shape of a reading.
        tail: the partition's last messages, one horizon of them, in order.
        end: the offset that the first of `again` would get.
        again: the messages; nothing else is supposed to come between them.

    Exact for machines whose readings are all in `tail`; that a partition may hold too many machines
    is not considered, for only those of `again` are looked at.
    """
    machines = {message.key for message in again}
    predictor = _Predictor(settings)
    for message in tail:
        if message.key() in machines:
            predictor.push(message.offset(), Original(message.key(), message.value()))
    return [predictor.push(end + n, message) for n, message in enumerate(again)]


def too_much(settings: Settings, classes: Iterable[ReadingClass]) -> str | None:
    """Why a worker would stop if one partition brought it these, in words; None if it would not."""
    limits = RejectLimits(settings.rejects)
    for kind in classes:
        limits.add(rejected=kind is ReadingClass.REJECTED)
    return limits.exceeded


class _Predictor:
    """The window rule fed with messages, as a worker would be, without a model."""

    def __init__(self, settings: Settings) -> None:
        self._shape = settings.reading
        width = settings.reading.settings + settings.reading.sensors
        self._windower = Windower(settings.window, width)
        self._window = np.empty((settings.window.length, width), np.float32)

    def push(self, offset: int, message: Original) -> ReadingClass:
        found = decode(message.key, message.value, self._shape)
        if not isinstance(found, Reading):
            return ReadingClass.REJECTED
        values = np.array(found.values, np.float32)
        return self._windower.push(offset, found, values, self._window)[0]
