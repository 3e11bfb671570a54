"""`plantwatch watch` on a real broker."""

import os
import signal
import subprocess
import sys

import pytest
from confluent_kafka import Producer

from connections.kafka import ensure_topics
from local_stack.pipeline import environment_of
from plantwatch.settings import Settings
from tests.support.verdicts import verdict

pytestmark = pytest.mark.real

TIMES = ("2023-11-14T22:16:31.000000Z", "2023-11-14T22:16:32.000000Z")


def watching(settings: Settings, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "commands.app", "watch", *options],
        env=os.environ | environment_of(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores Ctrl-C, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    )


def publish(settings: Settings, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap_servers})
    for value in values:
        producer.produce(settings.topics.anomalies, value, partition=0)
    assert producer.flush(30) == 0


# What a person wants to know of an anomaly is on one line, and an anomaly is shown once, however
# often its message comes; what is no anomaly at all is passed over.
def test_each_anomaly_is_a_line(settings: Settings) -> None:
    ensure_topics(settings)
    first = verdict(191, is_anomaly=True, anomaly_score=0.913, confidence=0.98).to_bytes()
    second = verdict(192, is_anomaly=True, sensor_id="FD001-engine-100").to_bytes()
    publish(settings, first, b"no json", first, second)
    watch = watching(settings, "--from-beginning", "--count", "2")
    shown, complaints = watch.communicate(timeout=60)
    assert (watch.returncode, complaints) == (0, "")
    model = "isolation_forest_v1"
    assert shown.splitlines() == [
        f"{TIMES[0]}  FD001-engine-001   cycle  191  score 0.913  confidence 0.98  {model}",
        f"{TIMES[1]}  FD001-engine-100   cycle  192  score 0.250  confidence 0.75  {model}",
    ]


# Ctrl-C ends it quietly.
def test_ctrl_c_is_quiet(settings: Settings) -> None:
    ensure_topics(settings)
    publish(settings, verdict(1, is_anomaly=True).to_bytes())
    watch = watching(settings, "--from-beginning")
    assert watch.stdout is not None
    assert "cycle    1" in watch.stdout.readline()
    watch.send_signal(signal.SIGINT)
    rest, complaints = watch.communicate(timeout=60)
    assert (watch.returncode, rest, complaints) == (0, "", "")


# Before the pipeline ever ran there is nothing to watch, which is said in one line.
def test_a_missing_topic_is_said(settings: Settings) -> None:
    watch = watching(settings)
    _, complaints = watch.communicate(timeout=60)
    assert watch.returncode == 69
    assert len(complaints.splitlines()) == 1
    assert "make up" in complaints
