"""Faust on librdkafka: a transport whose consumer yields one event per chunk.

Faust's own machinery keeps what it does well: starting and stopping, flow control around a
rebalance, the commit timer. What it gets wrong for an at-least-once pipeline is replaced:

- Faust acknowledges events it skips, and events whose agent raised. Here only `complete` moves the
  commit point; `ack` merely lets go of the message.
- Faust's commit offset can pass what is in flight, and carries no metadata. Here a commit is that
  of the last completed chunk, its metadata with it, and only after `before_commit` has seen every
  output on the broker.
- On revocation Faust forgets pending work before it commits. Here it is finished and committed
  first.
- A chunk that Faust drops (it may, around a rebalance) would be a hole. Nothing seeks back for it:
  each part of a chunk says where it starts, the agent notices, and the process ends and is
  restarted.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

import structlog
from confluent_kafka import KafkaException, TopicPartition
from faust.transport import base, consumer, drivers, producer
from faust.types import TP, ConsumerMessage, Message

from stream_processors.backlog import Chunk
from stream_processors.consumer_thread import ConsumerThread, is_stale

log = structlog.get_logger()

SCHEME: Final = "librdkafka"


class Completed(NamedTuple):
    """Everything of a partition below `offset` is done, its outputs handed to the producer."""

    offset: int
    metadata: str


class Hooks(NamedTuple):
    """What the worker does at the transport's turning points; all run on the event loop."""

    rebuild: Callable[[Mapping[int, TopicPartition]], Awaitable[Any]]
    """Make the state of partitions committed so far, before anything flows. May take as long as a
    read-back; its result is dropped if the partitions go meanwhile, else given to `own`.
    """
    own: Callable[[Any], Mapping[int, Completed]]
    """Work on this state from now on. What it returns is committed at once, which stamps the
    metadata's model before that model scores anything.
    """
    before_commit: Callable[[], Awaitable[bool]]
    """Whether all outputs are on the broker, after waiting a bounded time for it.

    Raises:
        DeliveryFailedError: one was refused; nothing is committed and the process must end.
    """
    on_failure: Callable[[BaseException], None]
    """The consumer cannot go on; the process must end."""


class Consumer(consumer.Consumer):
    """Faust's consumer on a `ConsumerThread`. The class attributes are set by `install`."""

    thread_factory: ClassVar[Callable[..., ConsumerThread]]
    hooks: ClassVar[Hooks]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.busy = asyncio.Lock()
        """Held while a chunk is worked on, and while a commit waits for its outputs."""
        self._epoch = 0
        self._ready = False
        self._tps: set[TP] = set()
        self._completed: dict[int, Completed] = {}
        self._assigned: Mapping[int, TopicPartition] = {}
        self._chunks: deque[Chunk] = deque()
        self._arrived = asyncio.Event()
        self._thread: ConsumerThread | None = None
        self._topic = ""

    # --- life -----------------------------------------------------------------------------------

    async def subscribe(self, topics: Iterable[str]) -> None:
        (self._topic,) = topics
        self._thread = self.thread_factory(self._topic, self, asyncio.get_running_loop())
        self._thread.start()

    async def on_stop(self) -> None:
        await super().on_stop()  # commits, still a member of the group
        self._epoch = -1
        if self._thread is not None:
            await self._thread.stop()

    @property
    def ready(self) -> bool:
        """Whether the partitions of the assignment in force are taken over."""
        return self._ready

    async def watermarks(self) -> dict[int, int]:
        """The end offset of every assigned partition."""
        return {} if self._thread is None else await self._thread.watermarks()

    # --- told by the thread ---------------------------------------------------------------------

    async def on_assigned(self, epoch: int, committed: Mapping[int, TopicPartition]) -> None:
        self._drop_chunks()
        self._epoch, self._ready, self._assigned = epoch, False, committed
        self._tps = {TP(self._topic, partition) for partition in committed}
        if not self.app.rebalancing:  # librdkafka revokes nothing before the first assignment
            self.app.on_rebalance_start()
        self.app.consumer_generation_id = epoch
        await self.on_partitions_assigned(set(self._tps), epoch)

    async def on_revoked(self, *, lost: bool) -> None:
        self.app.on_rebalance_start()
        self.stop_flow()
        self.app.flow_control.suspend()
        self.app.flow_control.clear()
        async with self.busy:  # the chunk being worked on finishes
            if not lost:
                await self._commit_completed()
            self._epoch, self._ready = -1, False
            self._completed.clear()
        self._drop_chunks()
        revoked, self._tps = self._tps, set()
        await self.on_partitions_revoked(revoked)

    def on_chunk(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._arrived.set()

    def on_failure(self, error: BaseException) -> None:
        self.hooks.on_failure(error)

    def _drop_chunks(self) -> None:
        while self._chunks:
            self._take_chunk()

    def _take_chunk(self) -> Chunk:
        assert self._thread is not None
        self._thread.taken()
        return self._chunks.popleft()

    # --- messages to Faust ----------------------------------------------------------------------

    async def perform_seek(self) -> None:
        """Faust calls this between an assignment and the flow; the take-over happens here."""
        epoch = self._epoch
        try:
            state = await self.hooks.rebuild(self._assigned)
        except Exception as error:  # noqa: BLE001  Faust would log it and wait for ever
            self.hooks.on_failure(error)
            return
        async with self.busy:
            if epoch != self._epoch:
                return  # rebalanced meanwhile: the next call takes over
            await self.replace(self.hooks.own(state))
        self._read_offset.update(dict.fromkeys(self._tps))
        self._ready = True
        self._flow()

    def resume_flow(self) -> None:
        super().resume_flow()
        self._flow()

    def _flow(self) -> None:
        if self._ready and self._thread is not None:
            self._thread.flow(self._epoch)

    async def getmany(
        self,
        timeout: float,  # noqa: ASYNC109  Faust's signature
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Yield the chunks that are there, or wait up to `timeout` seconds for one."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        if not self._chunks:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), timeout)
            except TimeoutError:
                return
        while self._chunks and not self.should_stop:
            chunk = self._take_chunk()
            if self.flow_active and self.is_current(chunk):
                # Its first partition stands for all: nothing of Faust's own goes by it here.
                yield TP(self._topic, chunk.parts[0].partition), self._to_message(chunk)

    def is_current(self, chunk: Chunk) -> bool:
        """Whether the chunk belongs to the assignment in force."""
        return chunk.epoch == self._epoch

    def _to_message(self, chunk: Chunk) -> ConsumerMessage:  # type: ignore[override]  # chunks
        part = chunk.parts[0]
        kind, milliseconds = part.messages[-1].timestamp()
        return ConsumerMessage(
            topic=self._topic,
            partition=part.partition,
            offset=part.end - 1,
            timestamp=milliseconds / 1000,
            timestamp_type=kind,
            headers=[],
            key=None,
            value=chunk,  # type: ignore[arg-type]  # the codec passes it on as it is
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=TP(self._topic, part.partition),
            generation_id=chunk.epoch,
        )

    # --- commits --------------------------------------------------------------------------------

    def complete(self, chunk: Chunk, completed: Mapping[int, Completed]) -> None:
        """The agent has finished this chunk: the only thing that moves the commit point."""
        if self.is_current(chunk):
            self._completed.update(completed)

    async def replace(self, completed: Mapping[int, Completed]) -> bool:
        """Commit these in place of what is completed, now. Hold `busy`.

        Returns:
            False if it was not committed; the caller says what is to be committed instead.
        """
        self._completed = dict(completed)
        return await self._commit_completed()

    def ack(self, message: Message) -> bool:
        """Let go of a message; says nothing about its being done."""
        message.acked = True
        self._unacked_messages.discard(message)
        return False

    async def force_commit(self, *_args: Any, **_kwargs: Any) -> bool:
        """What Faust's commit timer and shutdown come down to."""
        async with self.busy:
            return await self._commit_completed()

    async def _commit_completed(self) -> bool:
        """Commit what is completed once its outputs are on the broker. Hold `busy`: a flush ends
        only while nothing more is produced.
        """
        if not self._completed or self._thread is None:
            return False
        offsets = [
            TopicPartition(self._topic, partition, one.offset, metadata=one.metadata)
            for partition, one in self._completed.items()
        ]
        try:
            if not await self.hooks.before_commit():
                return False
            await self._thread.commit(offsets)
        except KafkaException as error:
            if not is_stale(error):
                log.warning("commit refused, will be tried again", error=str(error))
            return False
        except Exception as error:  # noqa: BLE001  outputs lost: the process ends with it
            self.hooks.on_failure(error)
            return False
        self._completed.clear()
        return True

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        raise NotImplementedError  # force_commit does it

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets inside a chunk are no gaps."""

    def on_buffer_full(self, tp: TP) -> None:
        """A full stream buffer blocks getmany, and so the thread; nothing to pause."""

    def on_buffer_drop(self, tp: TP) -> None:
        """See `on_buffer_full`."""

    # --- what Faust asks and we answer from memory ----------------------------------------------

    def assignment(self) -> set[TP]:
        return set(self._tps)

    def highwater(self, _tp: TP) -> int:
        return 0

    async def seek_to_committed(self) -> Mapping[TP, int]:
        return {}

    # --- abstract in Faust, needed only for tables ----------------------------------------------

    async def _getmany(self, *_args: Any, **_kwargs: Any) -> Any:
        raise NotImplementedError

    async def create_topic(self, *_args: Any, **_kwargs: Any) -> None:
        raise NotImplementedError

    async def position(self, _tp: TP) -> int | None:
        raise NotImplementedError

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        raise NotImplementedError

    async def _seek(self, partition: TP, offset: int) -> None:
        raise NotImplementedError

    async def earliest_offsets(self, *_partitions: TP) -> Mapping[TP, int]:
        raise NotImplementedError

    async def highwaters(self, *_partitions: TP) -> Mapping[TP, int]:
        raise NotImplementedError

    def topic_partitions(self, _topic: str) -> int | None:
        raise NotImplementedError

    def key_partition(self, *_args: Any, **_kwargs: Any) -> int | None:
        raise NotImplementedError

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)


class Transport(base.Transport):
    """`librdkafka://`. Faust's producer stays the one that does nothing: outputs are ours."""

    Consumer = Consumer
    Producer = producer.Producer
    driver_version = "librdkafka"
    default_port = 9092


def install(thread_factory: Callable[..., ConsumerThread], hooks: Hooks) -> None:
    """Make `librdkafka://` known to Faust, with this worker's thread and hooks."""
    Consumer.thread_factory = staticmethod(thread_factory)
    Consumer.hooks = hooks
    drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"
