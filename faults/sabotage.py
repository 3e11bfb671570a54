"""Three ways to lose readings, each the mistake that a plain pipeline makes. Only for `faults`.

They prove the judge: the same kills that harm nobody otherwise must show rows as lost here.

Each imports what it changes by itself, not above: a sink that is sabotaged does without Faust.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final


def default_acknowledgement() -> None:
    """A chunk is acknowledged when it is taken, and nobody asks whether its outputs arrived.

    So Faust does it: an event is acknowledged as the agent moves on, even when it raised, and
    `topic.send` only enqueues.
    """
    from stream_processors.transport import Completed, Consumer  # noqa: PLC0415 - see above
    from stream_processors.worker import Worker  # noqa: PLC0415 - see above

    on_chunk = Consumer.on_chunk

    def acknowledge_first(self: Consumer, chunk: Any) -> None:
        self._completed |= {part.partition: Completed(part.end, "") for part in chunk.parts}
        on_chunk(self, chunk)

    async def flush_nothing(_self: Worker) -> bool:
        return True

    _replace(Consumer, "on_chunk", acknowledge_first)
    _replace(Worker, "_before_commit", flush_nothing)


def out_of_order() -> None:
    """A finished chunk acknowledges what was fetched after it, too.

    The hole in Faust's gap check: committed 31, 31 in flight, 32 and 33 done: it commits 34.
    """
    from stream_processors.transport import Completed, Consumer  # noqa: PLC0415 - see above

    on_chunk, complete = Consumer.on_chunk, Consumer.complete
    fetched: dict[int, int] = {}

    def note_end(self: Consumer, chunk: Any) -> None:
        fetched.update({part.partition: part.end for part in chunk.parts})
        on_chunk(self, chunk)

    def complete_all(self: Consumer, chunk: Any, completed: Mapping[int, Completed]) -> None:
        complete(self, chunk, {number: Completed(fetched[number], "") for number in completed})

    _replace(Consumer, "on_chunk", note_end)
    _replace(Consumer, "complete", complete_all)


def offset_before_database() -> None:
    """The sink commits its offsets, then writes: a crash in between loses the batch."""
    from sinks.consume import SinkLoop  # noqa: PLC0415 - see above

    finish = SinkLoop._finish

    def commit_first(self: SinkLoop[Any], records: Sequence[Any]) -> None:
        self._subscription.done(records)
        self._subscription.commit()
        finish(self, records)

    _replace(SinkLoop, "_finish", commit_first)


DEFECTS: Final[dict[str, Callable[[], None]]] = {
    "default-acknowledgement": default_acknowledgement,
    "out-of-order": out_of_order,
    "offset-before-database": offset_before_database,
}
"""By the name that a scenario gives."""


def _replace(owner: type, name: str, method: Callable[..., Any]) -> None:
    setattr(owner, name, method)
