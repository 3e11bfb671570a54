"""Stretches of a topic, on a real broker."""

from itertools import pairwise

import pytest

from connections import span
from connections.kafka import ensure_topics
from plantwatch.errors import UnavailableError
from plantwatch.settings import Settings
from tests.support import topics
from tests.support.topics import Sent

pytestmark = pytest.mark.real

MESSAGES = 3000


# All that is asked for is read, once and in order per partition, and nothing else; what retention
# has removed is left out, and said to be.
def test_a_stretch_is_read(settings: Settings) -> None:
    ensure_topics(settings)
    topic = settings.topics.readings
    topics.publish(settings, [Sent(b"m%d" % (n % 40), b"%d" % n) for n in range(MESSAGES)])
    held = span.held(settings, topic)
    assert sum(map(len, held.values())) == MESSAGES
    middle = {number: range(10, len(offsets) - 10) for number, offsets in held.items()}
    assert offsets_read(settings, middle) == middle
    assert offsets_read(settings, {0: range(5, 5)}) == {}

    topics.forget(settings, dict.fromkeys(held, 20))
    later = {number: range(20, offsets.stop) for number, offsets in held.items()}
    assert span.held(settings, topic) == later
    beyond = {number: range(offsets.stop + 1000) for number, offsets in held.items()}
    assert offsets_read(settings, beyond) == later


def offsets_read(settings: Settings, wanted: dict[int, range]) -> dict[int, range]:
    """What was read, by partition; fails if it is no unbroken run."""
    found: dict[int, list[int]] = {}
    for message in span.read(settings, settings.topics.readings, wanted):
        found.setdefault(message.partition(), []).append(message.offset())
    assert all(b == a + 1 for offsets in found.values() for a, b in pairwise(offsets))
    return {number: range(offsets[0], offsets[-1] + 1) for number, offsets in found.items()}


# A topic that nobody made yet is said in one line.
def test_a_missing_topic_is_said(settings: Settings) -> None:
    with pytest.raises(UnavailableError, match="make up"):
        span.held(settings, settings.topics.readings)
