"""Bytewax: windows kept by a keyed step with recovery, then scored a whole batch at a time.

A state may be any object, so a machine's is a `Windower` of its own: the production rule itself.

Runs in the rivals' environment. Set as its documentation advises for throughput: batches of
`KafkaSource`, a batch operator around the model, compression; and librdkafka as the worker has it.
State and offsets are snapshot as often as the worker commits.

    python -m benchmarks.rivals.bytewax_flow      (the settings come from the environment)
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import bytewax.operators as op
import numpy as np
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from benchmarks.rivals.rules import (
    Window,
    fetch_config,
    output_of,
    reading_of,
    settings,
    state_folder,
)
from models.cache import load_production
from plantwatch.decode import Reading
from plantwatch.settings import Settings
from plantwatch.windows import ReadingClass, Windower

Read = tuple[int, Reading]
Cut = tuple[Reading, Window]


def main() -> None:
    """Score until SIGTERM."""
    own = settings()
    snapshots = state_folder(own)
    init_db_dir(snapshots, 1)
    cli_main(
        _flow(own),
        epoch_interval=timedelta(seconds=own.worker.commit_interval_sec),
        recovery_config=RecoveryConfig(snapshots),
    )


def _flow(own: Settings) -> Dataflow:
    flow = Dataflow("bench")
    messages = op.input("readings", flow, _source(own))
    readings = op.map(
        "decode", messages, lambda one: (one.offset, reading_of(one.key, one.value, own))
    )
    keyed = op.key_on("machine", readings, lambda read: read[1].sensor_id)
    windows = op.stateful_flat_map("window", keyed, _cutter(own))
    outputs = op.flat_map_batch("score", windows, _scorer(own))
    op.output("outputs", outputs, _sink(own))
    return flow


def _source(own: Settings) -> KafkaSource:
    servers, size = own.kafka.bootstrap_servers.split(","), own.worker.chunk_size
    return KafkaSource(
        servers, [own.topics.readings], add_config=fetch_config(own), batch_size=size
    )


def _sink(own: Settings) -> KafkaSink:
    config = {"compression.type": "lz4", "linger.ms": str(own.producer.linger_ms)}
    return KafkaSink(own.kafka.bootstrap_servers.split(","), None, add_config=config)


def _cutter(own: Settings) -> Callable[[Windower | None, Read], tuple[Windower, list[Cut]]]:
    length, width = own.window.length, own.reading.settings + own.reading.sensors

    def cut(state: Windower | None, read: Read) -> tuple[Windower, list[Cut]]:
        offset, reading = read
        windower = Windower(own.window, width) if state is None else state
        window = np.empty((1, length, width), np.float32)
        values = np.array(reading.values, np.float32)
        kind, *_ = windower.push(offset, reading, values, window[0])
        return windower, [(reading, window)] if kind is ReadingClass.SCORED else []

    return cut


def _scorer(own: Settings) -> Callable[[list[tuple[str, Cut]]], Iterable[Any]]:
    detector, topics = load_production(own), own.topics

    def score(batch: list[tuple[str, Cut]]) -> Iterator[Any]:
        verdicts = detector.score(np.concatenate([window for _, (_, window) in batch]))
        for row, (_, (reading, _)) in enumerate(batch):
            output = output_of(reading, verdicts, row, detector)
            for topic in [topics.scores] + [topics.anomalies] * output.is_anomaly:
                yield KafkaSinkMessage(output.key, output.value, topic)

    return score


if __name__ == "__main__":
    main()
