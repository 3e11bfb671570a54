import re
from itertools import pairwise

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from connections.prometheus import Exporter
from plantwatch.metrics import ALL, Metric

NAMES = [metric.name for metric in ALL]
# Prometheus keeps one time series per value for ever: what grows with the plant stays out.
UNBOUNDED = {"sensor_id", "machine", "engine", "cycle", "id", "offset", "event_time", "detail"}
RESERVED = {"le", "quantile", "job", "instance"}


# There are metrics, and no two have one name.
def test_names_are_unique() -> None:
    assert ALL
    assert len(set(NAMES)) == len(NAMES)


# Names and labels are valid, the project's own, and leave the suffixes to the exporter.
@pytest.mark.parametrize("metric", ALL, ids=NAMES)
def test_names_and_labels_are_valid(metric: Metric) -> None:
    assert re.fullmatch(r"plantwatch(_[a-z0-9]+)+", metric.name)
    assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket", "_created"))
    for label in metric.labels:
        assert re.fullmatch(r"[a-z][a-z_]*", label)
        assert not label.startswith("__")
        assert label not in RESERVED
    assert len(set(metric.labels)) == len(metric.labels)


# No label grows with the number of machines or readings.
@pytest.mark.parametrize("metric", ALL, ids=NAMES)
def test_labels_are_bounded(metric: Metric) -> None:
    assert UNBOUNDED.isdisjoint(metric.labels)


# Somebody who looks at /metrics reads what each metric means, in a sentence.
@pytest.mark.parametrize("metric", ALL, ids=NAMES)
def test_help_is_a_sentence(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z0-9][^\n]{10,}\.", metric.help)


# Histograms have rising buckets, and nothing else has any.
@pytest.mark.parametrize("metric", ALL, ids=NAMES)
def test_buckets_belong_to_histograms_and_rise(metric: Metric) -> None:
    assert bool(metric.buckets) is (metric.kind == "histogram")
    assert all(low < high for low, high in pairwise(metric.buckets))


# Every metric can be exported together, and Prometheus reads it back with its kind and help.
def test_all_can_be_scraped() -> None:
    exporter = Exporter()
    make = {
        "counter": exporter.counter,
        "gauge": exporter.gauge,
        "histogram": exporter.histogram,
    }
    for metric in ALL:
        make[metric.kind](metric)
    text = generate_latest(exporter.registry).decode()
    read = {family.name: family for family in text_string_to_metric_families(text)}
    for metric in ALL:
        assert read[metric.name].type == metric.kind
        assert read[metric.name].documentation == metric.help
