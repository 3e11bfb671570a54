"""The dead-letter topic read from its beginning, and originals from the topics they stand on."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from connections import span
from dead_letters.letters import Choice, Filed, filed, first_of_each
from plantwatch.dead_letter import Original
from plantwatch.settings import Settings


def letters(settings: Settings, choice: Choice) -> Iterator[Filed]:
    """The chosen letters, each id once, in order per partition; what is no letter is passed over.

    Reads all that the topic holds now (about 40,000 letters a second) and commits nothing.

    Raises:
        UnavailableError: no broker answers, or the topic is not there.
    """
    topic = settings.topics.dead_letters
    messages = span.read(settings, topic, span.held(settings, topic))
    found = (
        filed(message.value() or b"", datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC))
        for message in messages
    )
    # Repeats are dropped first: what counts is when an id was written for the first time.
    return (one for one in first_of_each(one for one in found if one) if one in choice)


def originals(settings: Settings, truncated: Iterable[Filed]) -> dict[str, Original]:
    """The whole messages, by the letters' ids; those that are not there any more are missing.

    Raises:
        UnavailableError: no broker answers, or a topic is not there.
    """
    by_origin: dict[str, dict[tuple[int, int], Filed]] = {}
    for one in truncated:
        by_origin.setdefault(one.letter.origin, {})[one.place] = one
    found: dict[str, Original] = {}
    for origin, wanted in by_origin.items():
        for message in span.read(settings, origin, _spans(wanted)):
            match = wanted.get((message.partition(), message.offset()))
            if match is not None and is_original(match, message.value()):
                found[match.letter.id] = Original(message.key(), message.value())
    return found


def is_original(one: Filed, value: bytes | None) -> bool:
    """Whether these are the bytes that were refused: a topic may have been made anew since."""
    return hashlib.sha256(value or b"").hexdigest() == one.letter.sha256


def _spans(places: Iterable[tuple[int, int]]) -> dict[int, range]:
    """Per partition, from the first of the places to the last."""
    spans: dict[int, range] = {}
    for partition, offset in places:
        known = spans.get(partition, range(offset, offset + 1))
        spans[partition] = range(min(known.start, offset), max(known.stop, offset + 1))
    return spans
