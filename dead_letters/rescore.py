"""Readings that a model failed on, judged by the model of today.

Such a reading stayed in its machine's history, so sending it again would only make a duplicate: its
window is read from the log instead, by the worker's own code, and the verdict goes on `scores`.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from connections import span
from dead_letters.letters import Filed
from dead_letters.outgoing import ORIGIN, Outgoing, Refused
from dead_letters.topic import is_original
from plantwatch.accounting import Ledger
from plantwatch.messages import RESCORED
from plantwatch.scoring import Detector
from plantwatch.settings import Settings
from plantwatch.windows import ReadingClass
from stream_processors import chunks
from stream_processors.partition import Partition, Record

_GONE: Final = "retention has removed it, or readings before it that its window may need"


def rescore(
    settings: Settings, letters: Iterable[Filed], detector: Detector
) -> Iterator[Outgoing | Refused]:
    """What to publish for each letter with reason `model_error`, or why there is nothing.

    Reads one horizon before the first letter of each partition, to its last (100,000 a second).

    Args:
        settings: for topics and rules.
        letters: in the order of their source.
        detector: the model whose verdicts are published.

    Raises:
        UnavailableError: no broker answers, or the topic is not there.
    """
    topic = settings.topics.readings
    held = span.held(settings, topic)
    for number, group in groupby(letters, key=lambda one: one.letter.partition):
        wanted = {one.letter.offset: one for one in group}
        start = held.get(number, range(0)).start
        for offset in [at for at in wanted if _low(settings, at) < start]:
            yield Refused(wanted.pop(offset).letter.id, _GONE)
        if wanted:
            low = _low(settings, min(wanted))
            log = span.read(settings, topic, {number: range(low, max(wanted) + 1)})
            partition = Partition(number, settings, Ledger(low, low), low)
            yield from judge(partition, log, wanted, detector)


def judge(
    partition: Partition, log: Iterable[Record], wanted: Mapping[int, Filed], detector: Detector
) -> Iterator[Outgoing | Refused]:
    """Feed an empty partition from the log and score at the wanted offsets, in their order.

    Readings of other machines change nothing about a window, so they are passed over.
    """
    left, machines = dict(wanted), {one.original.key for one in wanted.values()}
    for message in log:
        one = left.get(message.offset())
        if one is not None and is_original(one, message.value()):
            yield from _judged(left.pop(message.offset()), partition, message, detector)
        elif message.key() in machines:
            partition.restore([message])
    for one in left.values():
        yield Refused(one.letter.id, _GONE)


def _judged(
    one: Filed, partition: Partition, message: Record, detector: Detector
) -> Iterator[Outgoing | Refused]:
    """The verdict, on `anomalies` too if it is one; a model may fail on the window again."""
    outcome = chunks.process([(partition, [message])], detector)
    if not outcome.kinds[ReadingClass.SCORED]:
        yield Refused(one.letter.id, f"{detector.version} cannot score it either")
        return
    for output in outcome.outputs:
        yield Outgoing(
            output.topic,
            output.partition,
            output.key,
            output.value,
            {ORIGIN: one.letter.id, RESCORED: "1"},
        )


def _low(settings: Settings, offset: int) -> int:
    """The lowest offset that can be in the history of the reading at `offset`."""
    return max(0, offset - settings.window.horizon + 1)
