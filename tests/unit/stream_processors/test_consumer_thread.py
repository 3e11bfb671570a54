"""How messages become chunks, in the thread, over a consumer that hands them out as told."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
from confluent_kafka import TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from plantwatch.configuration import load
from plantwatch.settings import Worker
from stream_processors import consumer_thread
from stream_processors.backlog import Chunk
from stream_processors.consumer_thread import ConsumerThread
from tests.support.servers import CONFIGS

_PARTITIONS = 3
_SIZE = 4


class _Message(NamedTuple):
    at: int
    number: int

    def error(self) -> None:
        return None

    def partition(self) -> int:
        return self.at

    def offset(self) -> int:
        return self.number


class _Consumer:
    """Gives out messages, some at a time, once they flow."""

    def __init__(self, messages: list[_Message]) -> None:
        self._left = deque(messages)
        self._on_assign: Callable[..., None] | None = None
        self._flows = False

    def subscribe(self, topics: list[str], *, on_assign: Callable[..., None], **_: Any) -> None:
        self._topic, self._on_assign = topics[0], on_assign

    def poll(self, _seconds: float) -> _Message | None:
        if on_assign := self._on_assign:
            self._on_assign = None
            on_assign(self, [TopicPartition(self._topic, at, 0) for at in range(_PARTITIONS)])
        return self._left.popleft() if self._flows and self._left else None

    def consume(self, most: int, _seconds: float) -> list[_Message]:
        return [self._left.popleft() for _ in range(min(most, len(self._left)))]

    def committed(self, partitions: list[TopicPartition], **_: Any) -> list[TopicPartition]:
        return partitions

    def resume(self, _partitions: list[TopicPartition]) -> None:
        self._flows = True

    def assign(self, _partitions: list[TopicPartition]) -> None: ...
    def pause(self, _partitions: list[TopicPartition]) -> None: ...
    def close(self) -> None: ...


class _Listener:
    def __init__(self, wanted: int) -> None:
        self.thread: ConsumerThread
        self.chunks: list[Chunk] = []
        self.all = asyncio.Event()
        self._missing = wanted
        self.failure: BaseException | None = None

    async def on_assigned(self, epoch: int, _committed: Mapping[int, TopicPartition]) -> None:
        self.thread.flow(epoch)

    async def on_revoked(self, *, lost: bool) -> None: ...

    def on_chunk(self, chunk: Chunk) -> None:
        self.thread.taken()
        self.chunks.append(chunk)
        self._missing -= len(chunk)
        if not self._missing:
            self.all.set()

    def on_failure(self, error: BaseException) -> None:
        self.failure = error
        self.all.set()


async def _chunks(messages: list[_Message], worker: Worker) -> list[Chunk]:
    listener = _Listener(len(messages))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumer_thread, "Consumer", lambda _config: _Consumer(messages))
        loop = asyncio.get_running_loop()
        listener.thread = ConsumerThread({}, "readings", worker, listener, loop)
        listener.thread.start()
        await asyncio.wait_for(listener.all.wait(), 30)
        await listener.thread.stop()
    assert listener.failure is None
    return listener.chunks


# Whatever the order in which the partitions come, a fetch is cut into as few parts as fit, each of
# one partition, and none is missing; a chunk is as many parts as it has room for, since it costs
# milliseconds whether it is of one reading or of hundreds.
@settings(max_examples=20)  # each waits for a thread twice
@given(st.lists(st.integers(0, _PARTITIONS - 1), min_size=1, max_size=_SIZE * _PARTITIONS))
def test_interleaved_partitions_fill_their_chunks(order: list[int]) -> None:
    counts: Counter[int] = Counter()
    messages = []
    for at in order:
        messages.append(_Message(at, counts[at]))
        counts[at] += 1
    changes = {"chunk_size": _SIZE, "chunks_ahead": 100}
    worker = load(CONFIGS, {}).worker.model_copy(update=changes)

    chunks = asyncio.run(_chunks(messages, worker))

    for at in range(_PARTITIONS):
        own = [part for chunk in chunks for part in chunk.parts if part.partition == at]
        assert [one.offset() for part in own for one in part.messages] == list(range(counts[at]))
        assert [part.start for part in own] == list(range(0, counts[at], _SIZE))
    assert all(1 <= len(chunk) <= _SIZE for chunk in chunks)


async def _stopped_while_asked(worker: Worker) -> BaseException | None:
    listener = _Listener(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumer_thread, "Consumer", lambda _config: _Consumer([_Message(0, 0)]))
        loop = asyncio.get_running_loop()
        thread = listener.thread = ConsumerThread({}, "readings", worker, listener, loop)
        asked = asyncio.create_task(thread.watermarks())
        await asyncio.sleep(0)  # until it is asked; the thread does not run yet
        asked.cancel()
        await asyncio.wait([asked])
        thread.start()
        await asyncio.wait_for(listener.all.wait(), 30)
        await thread.stop()
    return listener.failure


# A task that waits for the thread is cancelled when the worker stops: nothing fails for it.
def test_a_question_that_nobody_waits_for_any_more() -> None:
    assert asyncio.run(_stopped_while_asked(load(CONFIGS, {}).worker)) is None
