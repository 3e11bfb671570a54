"""The Faust app around a worker: one agent on our transport, from its start to its end.

`run` is the entry point.
"""

import asyncio
import signal
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Final

import faust
import structlog
from confluent_kafka import KafkaException
from faust.serializers import codecs

from connections.kafka import member_config
from connections.kafka_login import is_refusal, refused
from plantwatch.errors import UnavailableError
from plantwatch.scoring import Detector
from plantwatch.settings import Settings
from stream_processors import transport
from stream_processors.backlog import Chunk
from stream_processors.consumer_thread import ConsumerThread
from stream_processors.model_watch import Models, ModelWatch
from stream_processors.telemetry import Telemetry
from stream_processors.watchdog import Watchdog
from stream_processors.worker import Worker

log = structlog.get_logger()

_LAG_EVERY_SEC: Final = 1.0
_REBUILD_LIMIT_SEC: Final = 3600.0
"""Faust gives a take-over this long; a read-back of one horizon takes about 10 s a partition."""


class _Passthrough(codecs.Codec):
    """Hands the agent what `getmany` yielded, a `Chunk`."""

    def _loads(self, s: bytes) -> Any:
        return s

    def loads(self, s: bytes) -> Any:
        return s


def build(settings: Settings, worker: Worker, data: Path) -> faust.App:
    """The Faust app: our transport, one topic, one agent."""
    _install_transport(settings, worker)
    app = _app(settings, data)
    codecs.register("chunk", _Passthrough())
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


def _install_transport(settings: Settings, worker: Worker) -> None:
    config = group_config(settings)

    def thread(topic: str, listener: Any, loop: asyncio.AbstractEventLoop) -> ConsumerThread:
        return ConsumerThread(config, topic, settings.worker, listener, loop)

    transport.install(thread, worker.hooks())


def _app(settings: Settings, data: Path) -> faust.App:
    """An app on our transport, with all that could surprise off."""
    servers = settings.kafka.bootstrap_servers.split(",")
    return faust.App(
        settings.worker.group_id,
        broker=[f"{transport.SCHEME}://{server}" for server in servers],
        broker_commit_interval=settings.worker.commit_interval_sec,
        broker_request_timeout=_REBUILD_LIMIT_SEC,
        stream_wait_empty=False,
        stream_buffer_maxsize=8,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        datadir=data,
        loghandlers=[],
    )


def _consumer(app: faust.App) -> transport.Consumer:
    assert isinstance(app.consumer, transport.Consumer)
    return app.consumer


def group_config(settings: Settings) -> dict[str, Any]:
    """How a worker joins its group: under a name of its own, offsets in our hands only."""
    return member_config(settings, settings.worker.group_id, settings.worker) | {
        "enable.auto.offset.store": False,
        "partition.assignment.strategy": "roundrobin",
    }


async def run(
    settings: Settings,
    detector: Detector,
    telemetry: Telemetry,
    data: Path,
    models: Models,
) -> None:
    """Work until SIGTERM or SIGINT, then finish the chunk in hand, commit and return.

    `models` is asked every `model.refresh_sec` for other models; what it refuses (one is damaged)
    is logged, and the work goes on as before.

    Raises:
        Exception: whatever made it impossible to go on; the caller exits and is restarted.
    """
    worker = Worker(settings, detector, telemetry)
    app = build(settings, worker, data)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    consumer = _consumer(app)
    Watchdog(settings, lambda: _owned(consumer), lambda: worker.read_back).start()
    watch = ModelWatch(models, worker, telemetry)
    await watch.look_for_challenger()  # before the first chunk, or a restart would show as a gap
    await app.start()
    tasks = [
        asyncio.create_task(or_fail(worker, _watch_lag(app, worker, telemetry))),
        asyncio.create_task(or_fail(worker, watch.run(consumer, settings.model.refresh_sec))),
    ]
    ends: list[asyncio.Future[Any]] = [asyncio.create_task(stop.wait()), worker.failure]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    worker.stop()
    for task in tasks:
        task.cancel()
    await app.stop()
    if worker.failure.done():
        raise _in_one_line(worker.failure.result(), settings)


def _owned(consumer: transport.Consumer) -> list[int]:
    return [tp.partition for tp in consumer.assignment()]


async def or_fail(worker: Worker, work: Awaitable[None]) -> None:
    """Let the worker end with whatever ends this work, which nobody awaits."""
    try:
        await work
    except Exception as error:  # noqa: BLE001  whatever it is, the process ends
        worker.fail(error)


def _in_one_line(error: BaseException, settings: Settings) -> BaseException:
    """Kafka's own errors for people; what is left is a defect and deserves its traceback."""
    if isinstance(error, KafkaException) and is_refusal(error.args[0]):
        return refused(settings.kafka, error.args[0])
    if isinstance(error, KafkaException):
        return UnavailableError(
            f"Kafka ended this worker's session ({error.args[0].str()}); start it again, with a "
            "WORKER_INSTANCE_ID of its own if another has it"
        )
    return error


async def _watch_lag(app: faust.App, worker: Worker, telemetry: Telemetry) -> None:
    while True:
        await asyncio.sleep(_LAG_EVERY_SEC)
        ends = await _consumer(app).watermarks()
        for number, partition in worker.partitions.items():
            telemetry.partition(
                number,
                lag=max(0, ends.get(number, 0) - partition.ledger.position),
                unaccounted=partition.ledger.unaccounted,
                machines=partition.machines,
            )
