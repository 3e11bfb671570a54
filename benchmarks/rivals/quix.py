"""Quix Streams: a stateful function on a StreamingDataFrame, state in RocksDB with a changelog.

Runs in the rivals' environment. It hands its functions one message at a time, so each window is
scored by itself. Set as its documentation advises for throughput: raw bytes in and out, state as
bytes, commits as seldom as the worker's, compression; and librdkafka as the worker has it.

    python -m benchmarks.rivals.quix      (the settings come from the environment)
"""

from typing import Any

from quixstreams import Application, State

from benchmarks.rivals.rules import (
    Output,
    fetch_config,
    follow,
    output_of,
    reading_of,
    settings,
    state_folder,
)
from models.cache import load_production
from plantwatch.settings import Settings


def main() -> None:
    """Score until SIGTERM."""
    own = settings()
    app = _application(own)
    readings = _topic(app, own.topics.readings)
    scored = app.dataframe(readings).apply(_scorer(own), stateful=True, metadata=True)
    scored = scored.filter(lambda output: output is not None)
    anomalous = scored.filter(lambda output: output.is_anomaly)
    for frame, topic in ((scored, own.topics.scores), (anomalous, own.topics.anomalies)):
        frame.apply(lambda output: output.value).to_topic(_topic(app, topic))
    app.run()


def _application(own: Settings) -> Application:
    return Application(
        broker_address=own.kafka.bootstrap_servers,
        consumer_group=own.worker.group_id,
        auto_offset_reset="earliest",
        commit_interval=own.worker.commit_interval_sec,
        state_dir=state_folder(own),
        loglevel="WARNING",
        consumer_extra_config=fetch_config(own),
        producer_extra_config={
            "linger.ms": own.producer.linger_ms,
            "compression.type": "lz4",
        },
    )


def _topic(app: Application, name: str) -> Any:
    return app.topic(
        name,
        key_deserializer="bytes",
        value_deserializer="bytes",
        key_serializer="bytes",
        value_serializer="bytes",
    )


def _scorer(own: Settings) -> Any:
    detector, length = load_production(own), own.window.length

    def score(value: bytes, key: bytes, _time: int, _headers: Any, state: State) -> Output | None:
        reading = reading_of(key, value, own)
        kept, window = follow(state.get_bytes("window"), reading, length)
        state.set_bytes("window", kept)
        if window is None:
            return None
        return output_of(reading, detector.score(window), 0, detector)

    return score


if __name__ == "__main__":
    main()
