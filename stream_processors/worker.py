"""What the agent and the transport's turning points do: the worker's state, without Faust.

Crash-only: whatever is not a verdict of the rules ends the process, and its supervisor starts it
again from the last commit.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

import structlog
from confluent_kafka import TopicPartition

from connections.kafka import CheckedProducer, producer_config
from plantwatch.errors import BadDataError
from plantwatch.scoring import Detector
from plantwatch.settings import Settings
from stream_processors import chunks, transport
from stream_processors.backlog import Chunk, Part
from stream_processors.partition import Partition
from stream_processors.read_back import Rebuilt, rebuild
from stream_processors.shadow import Budget, Shadow
from stream_processors.telemetry import Telemetry

log = structlog.get_logger()


class HoleError(Exception):
    """A chunk was lost between the consumer and the agent: end, and start from the last commit."""


class StoppedError(Exception):
    """The read-back was given up, since the process is to end: no failure."""


class Worker:
    """What the agent and the transport's hooks share. Lives on one event loop."""

    def __init__(
        self,
        settings: Settings,
        detector: Detector,
        telemetry: Telemetry,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        """`clock` tells the seconds that chunks and the challenger take: of CPU, so that neither a
        busy nor a stopped machine makes one look slow.
        """
        self._clock = clock
        self._settings = settings
        self._detector = detector
        self._challenger: Detector | None = None
        self._budget = Budget(settings.model.challenger_max_share)
        self._failing: Detector | None = None
        self._telemetry = telemetry
        self._producer = CheckedProducer(producer_config(settings))
        self._partitions: dict[int, Partition] = {}
        self._stopping = False
        self.read_back = 0
        """Readings read to rebuild state, also while a rebuild is under way."""
        self.failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def process(self, chunk: Chunk) -> dict[int, transport.Completed]:
        """One chunk through its partitions, the outputs into the producer's queue."""
        parts = [(self._next(part), part.records) for part in chunk.parts]
        began = self._clock()
        with self._telemetry.chunk(len(chunk)):
            challenger = None if self._budget.exceeded else self._challenger
            outcome = chunks.process(parts, self._detector, challenger, self._clock)
            for output in outcome.outputs:
                self._producer.send(*output)
        self._producer.poll()
        self._telemetry.finished(outcome)
        if outcome.shadow.windows:
            self._watch(outcome.shadow, self._clock() - began)
        for partition, _ in parts:
            if partition.limits.exceeded:
                self.fail(_too_bad(partition))
        return {partition.number: self._completed(partition) for partition, _ in parts}

    def _next(self, part: Part) -> Partition:
        """The part's partition, which must have got to where the part begins."""
        partition = self._partitions[part.partition]
        if part.start != partition.ledger.position:
            raise HoleError(f"{part.partition}: {partition.ledger.position} to {part.start}")
        return partition

    def _watch(self, shadow: Shadow, seconds: float) -> None:
        """Say once what is wrong with the challenger; one that takes too long is dropped."""
        if shadow.why and self._failing is not self._challenger:
            self._failing = self._challenger  # once is enough: the metric counts them all
            log.warning("the challenger failed on a window", why=shadow.why)
        self._budget.spend(shadow.seconds, seconds)
        if self._budget.exceeded:
            self._telemetry.challenger(None)
            self._telemetry.refused("challenger")
            log.warning("the challenger is too slow, dropped", share=round(self._budget.share, 2))

    async def room(self) -> None:
        """Wait while the producer's queue is too full for a chunk, so that `process` never does."""
        limit = self._settings.producer.queue_messages - 3 * self._settings.worker.chunk_size
        while len(self._producer) > limit:
            self._producer.poll()
            await asyncio.sleep(0.01)

    def fail(self, error: BaseException) -> None:
        """Remember the first failure, which ends `run`."""
        if not self.failure.done() and not isinstance(error, StoppedError):
            self.failure.set_result(error)

    def stop(self) -> None:
        """Give a read-back up, if one is under way: nothing of it is worth waiting for."""
        self._stopping = True

    def hooks(self) -> transport.Hooks:
        return transport.Hooks(self._rebuild, self._own, self._before_commit, self.fail)

    @property
    def partitions(self) -> dict[int, Partition]:
        """What is worked on now, by number; replaced as a whole, so any thread may read it."""
        return self._partitions

    async def swap(self, consumer: transport.Consumer, detector: Detector) -> None:
        """Score everything from here on by another model; no window is lost or scored twice.

        What is scored is committed first, with the new digest, so that a crash after it makes
        nobody do that again by the new one. If that commit is refused the old model stays, until
        the next look.
        """
        async with consumer.busy:
            before, self._detector = self._detector, detector
            # Between two assignments there is nothing of ours to commit: `own` will do it.
            if consumer.ready and not await consumer.replace(self._all_completed()):
                self._detector = before
                await consumer.replace(self._all_completed())
                return
        self._telemetry.model(detector.version, detector.digest)
        log.info("model swapped", before=before.version, now=detector.version)

    @property
    def detector(self) -> Detector:
        """The model in use."""
        return self._detector

    @property
    def challenger(self) -> Detector | None:
        """The model that is named to score in shadow, if there is one, dropped or not."""
        return self._challenger

    def challenge(self, challenger: Detector | None) -> None:
        """Let another model, or none, score in shadow from the next chunk on."""
        if challenger is not self._challenger:
            self._challenger = challenger
            self._budget = Budget(self._settings.model.challenger_max_share)
            self._telemetry.challenger(challenger)
            log.info("challenger", now=challenger and challenger.version)

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
            rebuilt = await asyncio.to_thread(rebuild, self._settings, one, self._count_read_back)
            self._report(rebuilt)
            states[number] = rebuilt.partition
        return states

    def _count_read_back(self, readings: int) -> None:
        if self._stopping:
            raise StoppedError
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
