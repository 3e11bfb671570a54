"""A second chance for dead letters: what would be published, and what would become of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from connections import span
from dead_letters.letters import Filed, in_source_order
from dead_letters.outgoing import ORIGIN, Outgoing, Refused
from dead_letters.prediction import predict, too_much
from dead_letters.rescore import rescore
from dead_letters.topic import originals
from plantwatch.dead_letter import Original
from plantwatch.decode import Reason
from plantwatch.scoring import Detector
from plantwatch.settings import Settings
from plantwatch.windows import ReadingClass


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay would do.

    `outgoing` are the messages to publish, in order; `refused` the letters without one. `classes`
    predicts what becomes of the messages for `readings`; `warning` says why a worker would stop
    at them, None if it would not.
    """

    outgoing: list[Outgoing]
    refused: list[Refused]
    classes: Counter[ReadingClass]
    warning: str | None


def plan(
    settings: Settings, chosen: Iterable[Filed], load_detector: Callable[[], Detector]
) -> Plan:
    """Find out what can be done about the chosen letters; reads Kafka, publishes nothing.

    A reading that a model failed on is scored anew, by the detector that `load_detector` is then
    asked for; any other message goes back, byte for byte, to where it came from. Blocks for about
    ten seconds per partition of `readings` that holds a whole horizon.

    Raises:
        UnavailableError: no broker answers, or a topic is not there.
        ConfigError: `load_detector` found no model.
    """
    letters, topics = in_source_order(chosen), settings.topics
    mine = (topics.readings, topics.scores, topics.shadow_scores)
    ours = [one for one in letters if one.letter.origin in mine]
    failed = [one for one in ours if one.letter.reason == Reason.MODEL_ERROR]
    verbatim = [one for one in ours if one.letter.reason != Reason.MODEL_ERROR]
    results = [
        *(_foreign(one) for one in letters if one not in ours),
        *repeat(verbatim, originals(settings, (one for one in verbatim if one.letter.truncated))),
        *(rescore(settings, failed, load_detector()) if failed else ()),
    ]
    outgoing = [one for one in results if isinstance(one, Outgoing)]
    classes = list(_predicted(settings, [one for one in outgoing if one.topic == topics.readings]))
    return Plan(
        outgoing=outgoing,
        refused=[one for one in results if isinstance(one, Refused)],
        classes=Counter(chain.from_iterable(classes)),
        warning=next(filter(None, (too_much(settings, one) for one in classes)), None),
    )


def repeat(letters: Iterable[Filed], whole: dict[str, Original]) -> Iterator[Outgoing | Refused]:
    """The original messages again; `whole` has those of truncated letters, by id, where known."""
    for one in letters:
        letter = one.letter
        message = whole.get(letter.id) if letter.truncated else one.original
        if message is None:
            yield Refused(letter.id, "truncated, and retention has removed the whole message")
        else:
            yield Outgoing(letter.origin, letter.partition, *message, {ORIGIN: letter.id})


def _foreign(one: Filed) -> Refused:
    return Refused(one.letter.id, "its origin is no topic of these settings that is replayed")


def _predicted(settings: Settings, again: Sequence[Outgoing]) -> Iterator[list[ReadingClass]]:
    """The classes of messages for `readings`, one list per partition."""
    topic, horizon = settings.topics.readings, settings.window.horizon
    held = span.held(settings, topic) if again else {}
    for number, group in groupby(again, key=lambda one: one.partition):
        offsets = held.get(number, range(0))
        last = range(max(offsets.start, offsets.stop - horizon + 1), offsets.stop)
        tail = span.read(settings, topic, {number: last})
        messages = [Original(one.key, one.value) for one in group]
        yield predict(settings, tail, offsets.stop, messages)
