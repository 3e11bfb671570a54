"""The worker: a Faust app with one agent, from its settings and a detector to its exit.

Crash-only: whatever is not a verdict of the rules ends the process, and its supervisor starts it
again from the last commit. `run` is the only entry point.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import faust
import structlog
from confluent_kafka import KafkaException, TopicPartition
from faust.serializers import codecs

from connections.kafka import CheckedProducer, client_config, producer_config
from plantwatch.errors import BadDataError, ConfigError, UnavailableError
from plantwatch.scoring import Detector
from plantwatch.settings import Settings
from stream_processors import transport
from stream_processors.consumer_thread import Chunk, ConsumerThread
from stream_processors.partition import Partition
from stream_processors.read_back import Rebuilt, rebuild
from stream_processors.telemetry import Telemetry
from stream_processors.watchdog import Watchdog

log = structlog.get_logger()

_LAG_EVERY_SEC: Final = 1.0
_REBUILD_LIMIT_SEC: Final = 3600.0
"""Faust gives a take-over this long; a read-back of one horizon takes about 10 s a partition."""


class HoleError(Exception):
    """A chunk was lost between the consumer and the agent: end, and start from the last commit."""


class Worker:
    """What the agent and the transport's hooks share. Lives on one event loop."""

    def __init__(self, settings: Settings, detector: Detector, telemetry: Telemetry) -> None:
        self._settings = settings
        self._detector = detector
        self._telemetry = telemetry
        self._producer = CheckedProducer(producer_config(settings))
        self._partitions: dict[int, Partition] = {}
        self.read_back = 0
        """Readings read to rebuild state, also while a rebuild is under way."""
        self.failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def process(self, chunk: Chunk) -> transport.Completed:
        """One chunk through its partition, the outputs into the producer's queue."""
        partition = self._partitions[chunk.partition]
        if chunk.start != partition.ledger.position:
            raise HoleError(f"{chunk.partition}: {partition.ledger.position} to {chunk.start}")
        with self._telemetry.chunk(len(chunk.messages)):
            outcome = partition.process(chunk.records, self._detector)
            for output in outcome.outputs:
                self._producer.send(output.topic, output.key, output.value, chunk.partition)
        self._producer.poll()
        self._telemetry.finished(outcome)
        if partition.limits.exceeded:
            self.fail(_too_bad(partition))
        return self._completed(partition)

    async def room(self) -> None:
        """Wait while the producer's queue is too full for a chunk, so that `process` never does."""
        limit = self._settings.producer.queue_messages - 3 * self._settings.worker.chunk_size
        while len(self._producer) > limit:
            self._producer.poll()
            await asyncio.sleep(0.01)

    def fail(self, error: BaseException) -> None:
        """Remember the first failure, which ends `run`."""
        if not self.failure.done():
            self.failure.set_result(error)

    def hooks(self) -> transport.Hooks:
        return transport.Hooks(self._rebuild, self._own, self._before_commit, self.fail)

    @property
    def partitions(self) -> dict[int, Partition]:
        """What is worked on now, by number; replaced as a whole, so any thread may read it."""
        return self._partitions

    def positions(self) -> dict[int, int]:
        """The next offset of each partition."""
        return {number: one.ledger.position for number, one in self._partitions.items()}

    async def swap(self, consumer: transport.Consumer, detector: Detector) -> None:
        """Score everything from here on by another model; no window is lost or scored twice.

        What is scored is committed first, with the new digest: what a crash makes us do again is
        done by the model that did it. If that commit is refused the old model stays, until the
        next look.
        """
        async with consumer.busy:
            before, self._detector = self._detector, detector
            if self._partitions and not await consumer.replace(self._all_completed()):
                self._detector = before
                await consumer.replace(self._all_completed())
                return
        self._telemetry.model(detector.version, detector.digest)
        log.info("model swapped", before=before.version, now=detector.version)

    @property
    def detector(self) -> Detector:
        """The model in use."""
        return self._detector

    def _all_completed(self) -> dict[int, transport.Completed]:
        return {number: self._completed(one) for number, one in self._partitions.items()}

    def _completed(self, partition: Partition) -> transport.Completed:
        return transport.Completed(
            partition.ledger.position, partition.metadata(self._detector.digest)
        )

    async def _rebuild(self, committed: Mapping[int, TopicPartition]) -> dict[int, Partition]:
        """States that are still those of the committed offset stay; the others are read back."""
        states: dict[int, Partition] = {}
        for number, one in committed.items():
            kept = self._partitions.get(number)
            if kept is not None and kept.ledger.position == one.offset:
                states[number] = kept
                continue
            config = client_config(self._settings)
            rebuilt = await asyncio.to_thread(
                rebuild, config, self._settings, one, self._count_read_back
            )
            self._report(rebuilt)
            states[number] = rebuilt.partition
        return states

    def _count_read_back(self, readings: int) -> None:
        self.read_back += readings

    def _report(self, rebuilt: Rebuilt) -> None:
        self._telemetry.rebuilt(rebuilt.readings, truncated=rebuilt.truncated)
        if rebuilt.truncated:
            log.warning("history truncated by retention", partition=rebuilt.partition.number)

    def _own(self, states: dict[int, Partition]) -> dict[int, transport.Completed]:
        self._partitions = states
        self._telemetry.took_over(list(states))
        log.info("took over", partitions=sorted(states), model=self._detector.version)
        return self._all_completed()

    async def _before_commit(self) -> bool:
        # Shorter than the session: a revocation waits for this, and must end before we are thrown
        # out. What was not committed is done again.
        wait = self._settings.worker.session_timeout_sec / 2
        return await asyncio.to_thread(self._producer.flush, wait)


def _too_bad(partition: Partition) -> BadDataError:
    return BadDataError(
        f"partition {partition.number}: {partition.limits.exceeded}; what was done is committed. "
        "Read the reasons in the dead letters, mend their source, then start the worker again"
    )


class _Passthrough(codecs.Codec):
    """Hands the agent what `getmany` yielded, a `Chunk`."""

    def _loads(self, s: bytes) -> Any:
        return s

    def loads(self, s: bytes) -> Any:
        return s


def build(settings: Settings, worker: Worker, data: Path) -> faust.App:
    """The Faust app: our transport, one topic, one agent, and all that could surprise off."""
    servers, cfg = settings.kafka.bootstrap_servers, settings.worker
    config = client_config(settings) | group_config(settings)

    def thread(topic: str, listener: Any, loop: asyncio.AbstractEventLoop) -> ConsumerThread:
        return ConsumerThread(config, topic, cfg, listener, loop)

    transport.install(thread, worker.hooks())
    codecs.register("chunk", _Passthrough())
    app = faust.App(
        cfg.group_id,
        broker=[f"{transport.SCHEME}://{server}" for server in servers.split(",")],
        broker_commit_interval=cfg.commit_interval_sec,
        broker_request_timeout=_REBUILD_LIMIT_SEC,
        stream_wait_empty=False,
        stream_buffer_maxsize=8,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        datadir=data,
        loghandlers=[],
    )
    readings = app.topic(settings.topics.readings, key_serializer="raw", value_serializer="chunk")

    @app.agent(readings, concurrency=1)
    async def score(chunks: faust.StreamT[Chunk]) -> None:
        consumer = _consumer(app)
        async for chunk in chunks:
            await worker.room()
            async with consumer.busy:
                if consumer.is_current(chunk):
                    try:
                        consumer.complete(chunk, worker.process(chunk))
                    except Exception as error:  # noqa: BLE001  whatever it is, the process ends
                        worker.fail(error)
                        return

    return app


def _consumer(app: faust.App) -> transport.Consumer:
    assert isinstance(app.consumer, transport.Consumer)
    return app.consumer


def group_config(settings: Settings) -> dict[str, Any]:
    """How a worker joins its group: under a name of its own, offsets in our hands only."""
    cfg = settings.worker
    return {
        "group.id": cfg.group_id,
        "group.instance.id": cfg.instance_id,
        "session.timeout.ms": int(cfg.session_timeout_sec * 1000),
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "partition.assignment.strategy": "roundrobin",
        "fetch.queue.backoff.ms": cfg.fetch_queue_backoff_ms,
    }


async def run(
    settings: Settings,
    detector: Detector,
    telemetry: Telemetry,
    data: Path,
    newer: Callable[[Detector], Detector | None] = lambda _: None,
) -> None:
    """Work until SIGTERM or SIGINT, then finish the chunk in hand, commit and return.

    `newer` is asked, in a thread and every `model.refresh_sec`, for a model to use instead of the
    present one; a `ConfigError` of it (the model is damaged) is logged and the present one stays.

    Raises:
        Exception: whatever made it impossible to go on; the caller exits and is restarted.
    """
    worker = Worker(settings, detector, telemetry)
    app = build(settings, worker, data)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    Watchdog(settings, worker.positions, lambda: worker.read_back).start()
    await app.start()
    tasks = [
        asyncio.create_task(_watch_lag(app, worker, telemetry)),
        asyncio.create_task(_watch_model(app, worker, newer, settings.model.refresh_sec)),
    ]
    ends: list[asyncio.Future[Any]] = [asyncio.create_task(stop.wait()), worker.failure]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await app.stop()
    if worker.failure.done():
        raise _in_one_line(worker.failure.result())


def _in_one_line(error: BaseException) -> BaseException:
    """Kafka's own errors for people; what is left is a defect and deserves its traceback."""
    if isinstance(error, KafkaException):
        return UnavailableError(
            f"Kafka ended this worker's session ({error.args[0].str()}); start it again, with a "
            "WORKER_INSTANCE_ID of its own if another has it"
        )
    return error


async def _watch_model(
    app: faust.App,
    worker: Worker,
    newer: Callable[[Detector], Detector | None],
    every: float,
) -> None:
    said = ""
    while True:
        await asyncio.sleep(every)
        try:
            detector = await asyncio.to_thread(newer, worker.detector)
        except ConfigError as error:
            if str(error) != said:
                said = str(error)
                log.warning("another model is named but cannot be used", why=said)
            continue
        if detector is not None:
            await worker.swap(_consumer(app), detector)


async def _watch_lag(app: faust.App, worker: Worker, telemetry: Telemetry) -> None:
    while True:
        await asyncio.sleep(_LAG_EVERY_SEC)
        ends = await _consumer(app).watermarks()
        for number, partition in worker.partitions.items():
            telemetry.partition(
                number,
                lag=max(0, ends.get(number, 0) - partition.ledger.position),
                machines=partition.machines,
            )
