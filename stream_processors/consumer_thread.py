"""The one plain thread that owns every call on a librdkafka consumer.

confluent-kafka serialises the calls on a handle: a `pause()` from another thread while a rebalance
callback runs inside `poll()` spins for ever with the GIL held. So others post commands, and the
thread serves them between polls and while it waits inside a rebalance callback, where its listener
on the event loop may want to commit.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from connections.kafka_login import is_refusal
from plantwatch.settings import Worker
from stream_processors.backlog import Backlog, Chunk

T = TypeVar("T")
log = structlog.get_logger()

_POLL_SEC: Final = 0.05
_STALL_SEC: Final = 1.0
"""A hand-over that waits this long is a stall: keep polling, so as to stay in the group."""
_BROKER_SEC: Final = 30.0


class Listener(Protocol):
    """What the thread tells the event loop. All of it runs there."""

    async def on_assigned(self, epoch: int, committed: Mapping[int, TopicPartition]) -> None:
        """These partitions are ours, paused. The thread waits for the return, serving commands."""

    async def on_revoked(self, *, lost: bool) -> None:
        """All partitions go. Finish and commit (unless `lost`); the thread waits."""

    def on_chunk(self, chunk: Chunk) -> None:
        """Take one chunk, and call `ConsumerThread.taken` once it has left the hand-over queue."""

    def on_failure(self, error: BaseException) -> None:
        """The thread has ended; the process must."""


class ConsumerThread:
    """Polls one topic and hands chunks over to the event loop, a bounded number ahead."""

    def __init__(
        self,
        config: dict[str, Any],
        topic: str,
        worker: Worker,
        listener: Listener,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._topic = topic
        self._worker = worker
        self._listener = listener
        self._loop = loop
        self._consumer = Consumer(config)
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._room = threading.Semaphore(worker.chunks_ahead)
        self._backlog = Backlog(worker.chunk_size)
        self._epoch = 0
        self._to_flow = -1
        self._flowing = False
        self._held_back = False
        self._halt = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka-consumer", daemon=True)

    # --- for the event loop -------------------------------------------------------------------

    def start(self) -> None:
        """Subscribe and begin to poll; a broker that is away is waited for."""
        self._thread.start()

    async def stop(self) -> None:
        """End the thread; it closes the consumer."""
        self._halt.set()
        await asyncio.to_thread(self._thread.join)

    def taken(self) -> None:
        """One chunk has left the hand-over queue: there is room for another."""
        self._room.release()

    async def commit(self, offsets: list[TopicPartition]) -> None:
        """Commit synchronously, metadata included.

        Raises:
            KafkaException: it was refused; nothing is lost, what follows is done again.
        """
        await self._call(lambda: self._commit(offsets))

    def flow(self, epoch: int) -> None:
        """Let messages of assignment `epoch` come; outdated if another one has begun."""
        self._to_flow = epoch

    async def watermarks(self) -> dict[int, int]:
        """The end offset of every assigned partition, as last fetched."""
        return await self._call(self._watermarks)

    async def _call(self, command: Callable[[], T]) -> T:
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return  # whoever asked is cancelled, as tasks are when the worker stops
            try:
                future.set_result(command())
            except Exception as error:  # noqa: BLE001  the caller's, whatever it is
                future.set_exception(error)

        self._commands.put(run)
        if self._closed.is_set():
            self._serve()  # the thread has ended: the consumer says so by itself
        return await asyncio.wrap_future(future)

    # --- in the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._consumer.subscribe(
                [self._topic],
                on_assign=self._on_assign,
                on_revoke=lambda _, __: self._on_revoke(lost=False),
                on_lost=lambda _, __: self._on_revoke(lost=True),
            )
            while not self._halt.is_set():
                self._serve()
                self._start_flow()
                if not self._backlog:
                    self._release()
                    self._fetch()
                elif not self._hand_over():
                    self._hold_back()
                    self._fetch()
        except BaseException as error:  # noqa: BLE001  the process ends with whatever it was
            self._loop.call_soon_threadsafe(self._listener.on_failure, error)
        finally:
            self._halt.set()
            self._consumer.close()
            self._closed.set()
            self._serve()

    def _serve(self, timeout: float = 0.0) -> None:
        """Run the posted commands; wait up to `timeout` seconds for a first one."""
        try:
            while True:
                self._commands.get(timeout > 0, timeout)()
                timeout = 0.0
        except queue.Empty:
            pass

    def _fetch(self) -> None:
        """Poll once (rebalance callbacks run in here) and take what came."""
        epoch = self._epoch
        first = self._consumer.poll(_POLL_SEC)
        if first is None:
            return
        # Fill the chunks up for a few milliseconds: one-row chunks saturate a core.
        fill = self._worker.chunk_fill_ms / 1000
        wanted = self._worker.chunk_size * len(self._backlog.partitions)
        messages = [first, *self._consumer.consume(wanted, fill)]
        if epoch != self._epoch:
            return  # rebalanced inside the call: all of it will be fetched again
        for message in messages:
            self._take(message)

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            # error.fatal() is False for the very message that reports a fatal error.
            if error.code() == KafkaError._FATAL or is_refusal(error):  # noqa: SLF001 (documented)
                raise KafkaException(error)
            log.warning("consumer", error=str(error))
            return
        self._backlog.add(message)

    def _hand_over(self) -> bool:
        """Give the event loop as many chunks as it has room for; False on a stall."""
        until = time.monotonic() + _STALL_SEC
        while self._backlog:
            if self._room.acquire(timeout=0.005):
                self._loop.call_soon_threadsafe(
                    self._listener.on_chunk, self._backlog.chunk(self._epoch)
                )
            elif self._held_back or time.monotonic() > until or self._halt.is_set():
                return False
            self._serve()
        return True

    def _hold_back(self) -> None:
        """Stop fetching during a stall. Stragglers of an earlier fetch join the backlog."""
        if self._flowing and not self._held_back:
            self._held_back = True
            self._consumer.pause(self._assigned())

    def _release(self) -> None:
        """Resume exactly what `_hold_back` paused: resuming what flows loses fetched messages."""
        if self._held_back:
            self._held_back = False
            self._consumer.resume(self._assigned())

    def _start_flow(self) -> None:
        """Between two polls only: what flowed inside one would pass for fetched before it."""
        if self._to_flow == self._epoch and not self._flowing:
            self._flowing = True
            self._consumer.resume(self._assigned())

    def _assigned(self) -> list[TopicPartition]:
        return [TopicPartition(self._topic, number) for number in self._backlog.partitions]

    def _commit(self, offsets: list[TopicPartition]) -> None:
        results = self._consumer.commit(offsets=offsets, asynchronous=False) or []
        for result in results:
            if result.error is not None:
                raise KafkaException(result.error)

    def _watermarks(self) -> dict[int, int]:
        ends = {}
        for assigned in self._assigned():
            marks = self._consumer.get_watermark_offsets(assigned, cached=True)
            if marks is not None and marks[1] >= 0:
                ends[assigned.partition] = marks[1]
        return ends

    # --- in the thread, inside poll() ---------------------------------------------------------

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if self._halt.is_set():
            return
        committed = {p.partition: p for p in consumer.committed(partitions, timeout=_BROKER_SEC)}
        for one in committed.values():
            if one.offset < 0:
                one.offset = consumer.get_watermark_offsets(one, timeout=_BROKER_SEC)[0]
        offsets = {number: one.offset for number, one in committed.items()}
        self._begin(offsets)
        consumer.assign([TopicPartition(self._topic, n, o) for n, o in offsets.items()])
        consumer.pause(self._assigned())
        self._wait_for(self._listener.on_assigned(self._epoch, committed))

    def _on_revoke(self, *, lost: bool) -> None:
        # The epoch moves only afterwards: a chunk being worked on is still valid and committed.
        if not self._halt.is_set():
            self._backlog.drop()
            self._wait_for(self._listener.on_revoked(lost=lost))
        self._begin({})
        self._consumer.unassign()

    def _begin(self, offsets: Mapping[int, int]) -> None:
        """The next assignment, which may be of nothing."""
        self._epoch += 1
        self._backlog.assign(offsets)
        self._flowing = self._held_back = False

    def _wait_for(self, on_loop: Coroutine[Any, Any, None]) -> None:
        future = asyncio.run_coroutine_threadsafe(on_loop, self._loop)
        while not future.done() and not self._halt.is_set():
            self._serve(_POLL_SEC)
        if future.done():
            future.result()


def is_stale(error: KafkaException) -> bool:
    """Whether a commit failed because the partitions are no longer ours."""
    code = error.args[0].code()
    return bool(code in _STALE)


_STALE: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError._STATE,  # noqa: SLF001  librdkafka's own codes have no other name
        KafkaError._ASSIGNMENT_LOST,  # noqa: SLF001  the same
    }
)
