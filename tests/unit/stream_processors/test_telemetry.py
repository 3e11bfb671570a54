"""What the worker tells Prometheus, where a defect would make an alert blind."""

from connections.prometheus import Exporter
from plantwatch.windows import ReadingClass
from stream_processors.telemetry import Telemetry


# A counter that began with its first event would be no increase, and no alert would see that one.
def test_every_class_is_there_from_the_start() -> None:
    exporter = Exporter()
    Telemetry(exporter)
    value = exporter.registry.get_sample_value
    for kind in ReadingClass:
        assert value("plantwatch_readings_total", {"class": kind}) == 0
    for role in ("production", "challenger"):
        assert value("plantwatch_models_refused_total", {"role": role}) == 0
    assert value("plantwatch_shadow_disagreements_total") == 0


# Alerts on the age of a model, and of the registry's last answer, go by times, not by ages.
def test_times_are_told_as_they_are() -> None:
    exporter = Exporter()
    telemetry = Telemetry(exporter)
    telemetry.trained(1_700_000_000.0)
    value = exporter.registry.get_sample_value
    assert value("plantwatch_model_trained_timestamp_seconds") == 1_700_000_000


# What is said of a partition is said while it is ours.
def test_partitions_are_shown_while_they_are_ours() -> None:
    exporter = Exporter()
    telemetry = Telemetry(exporter)
    value, gauges = exporter.registry.get_sample_value, ("lag", "unaccounted")
    telemetry.took_over([1])
    telemetry.partition(1, lag=5, unaccounted=-2, machines=3)
    told = [value(f"plantwatch_{name}_readings", {"partition": "1"}) for name in gauges]
    assert told == [5, -2]
    telemetry.took_over([2])
    assert [value(f"plantwatch_{n}_readings", {"partition": "1"}) for n in gauges] == [None, None]
    assert [value(f"plantwatch_{n}_readings", {"partition": "2"}) for n in gauges] == [0, 0]
