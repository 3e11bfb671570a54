"""The subscriber that the README shows."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.support.verdicts import verdict

SCRIPT = Path("examples/subscribe.py")


# A subscriber takes ten lines of code, so that nobody fears to write one.
def test_it_is_short() -> None:
    source = SCRIPT.read_text(encoding="utf-8")
    docstring = ast.parse(source).body[0].end_lineno
    code = [line for line in source.splitlines()[docstring:] if line.strip()]
    assert len(code) <= 10


# It prints every anomaly of the topic, and none twice though its message comes twice.
@pytest.mark.real
def test_it_prints_each_anomaly_once(kafka: str) -> None:
    producer = Producer({"bootstrap.servers": kafka})
    for cycle in (1, 1, 2, 1, 3):
        producer.produce("anomalies", verdict(cycle, is_anomaly=True).to_bytes(), partition=0)
    assert producer.flush(30) == 0
    with subprocess.Popen(
        [sys.executable, SCRIPT, kafka], stdout=subprocess.PIPE, text=True
    ) as subscriber:
        assert subscriber.stdout is not None
        lines = [subscriber.stdout.readline() for _ in range(3)]
        subscriber.kill()
    assert [line.split()[0] for line in lines] == [verdict(cycle).event_time for cycle in (1, 2, 3)]
