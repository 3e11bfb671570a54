"""The watcher of drift without a broker: batches of messages in, metrics out."""

from pathlib import Path

import pytest

from connections.prometheus import Exporter
from data.fleet import Fleet as Rows
from models.cache import Named, Role, load_production, read_production, write_named
from models.card import read_artifact, write_artifact
from monitoring.drift_watch import Fleet, Gauges
from plantwatch.configuration import with_changes
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from sinks.sink import Record
from tests.support import plant
from tests.support.small_training import cached_model, other_model, small_fleet, small_settings

READINGS = 12 * 40
"""The first 40 cycles of twelve engines, all healthy."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    cached_model(tmp_path / "models")
    return with_changes(small_settings(), "model", cache=tmp_path / "models")


@pytest.fixture
def exporter() -> Exporter:
    return Exporter()


@pytest.fixture
def fleet(settings: Settings, exporter: Exporter) -> Fleet:
    return Fleet(settings, Gauges(exporter))


def records(rows: Rows, shift: float = 0.0) -> list[Record]:
    """As a plant sends them; `shift` is added to sensor 21."""
    sent = [plant.reading(rows, row, shift=shift) for row in plant.rows(rows)[:READINGS]]
    return [Record(0, at, 0, one.key, one.value) for at, one in enumerate(sent)]


def spread(settings: Settings) -> float:
    """One healthy spread of sensor 21."""
    drift = load_production(settings).card.drift
    assert drift is not None
    return drift.features.spread[0][-1]


def without_reference(settings: Settings) -> Named:
    """Put a model of before drift was watched into production."""
    cache, named = settings.model.cache, read_production(settings.model.cache)
    card, network = read_artifact(cache / named.digest, named.digest)
    folder = write_artifact(card.model_copy(update={"drift": None}), network, cache)
    old = Named(digest=folder.name, version=1, model_version="isolation_forest_v0")
    write_named(cache, Role.PRODUCTION, old)
    return old


# A healthy fleet is shown as it is; one whose sensor 21 is off by a healthy spread as drifting.
def test_drift_is_told(settings: Settings, exporter: Exporter, fleet: Fleet) -> None:
    value = exporter.registry.get_sample_value
    fleet.take(records(small_fleet("train")))
    assert value("plantwatch_drift_readings_total", {"outcome": "tested"}) == READINGS
    sensors = [str(number) for number in settings.features.sensors]
    assert [value("plantwatch_drifting", {"sensor": one}) for one in sensors] == [0] * 14
    assert abs(value("plantwatch_drift_shift_spreads", {"sensor": "21"}) or 9) < 0.5

    fleet.take(records(small_fleet("train"), 1.2 * spread(settings))[:200])
    assert value("plantwatch_drifting", {"sensor": "21"}) == 1
    assert value("plantwatch_drift_alarms_total", {"sensor": "21"}) == 1
    assert value("plantwatch_drift_alarms_total", {"sensor": "11"}) == 0


# What is no reading, or was taken where training never was, is counted and says nothing of drift.
def test_what_cannot_be_tested_is_counted(exporter: Exporter, fleet: Fleet) -> None:
    sent = plant.reading(small_fleet("train"), 0)
    assert sent.value is not None
    elsewhere = sent.value.replace(b',100.0],"sensors"', b',60.0],"sensors"')
    assert elsewhere != sent.value
    values = (b"no json", None, elsewhere, sent.value)
    fleet.take([Record(0, at, 0, sent.key, value) for at, value in enumerate(values)])
    value = exporter.registry.get_sample_value
    counts = {"unusable": 2, "unseen regime": 1, "tested": 1}
    for outcome, count in counts.items():
        assert value("plantwatch_drift_readings_total", {"outcome": outcome}) == count


# A batch without a reading is nothing.
def test_nothing_may_come(fleet: Fleet) -> None:
    fleet.take([])


# Another model brings another reference: the fleet is looked at afresh.
def test_another_model_is_taken_up(settings: Settings, exporter: Exporter, fleet: Fleet) -> None:
    shifted = records(small_fleet("train"), 2 * spread(settings))
    fleet.take(shifted)
    value = exporter.registry.get_sample_value
    assert value("plantwatch_drifting", {"sensor": "21"}) == 1
    write_named(settings.model.cache, Role.PRODUCTION, other_model(settings.model.cache))
    fleet.refresh()
    assert value("plantwatch_drifting", {"sensor": "21"}) == 0
    fleet.refresh()
    fleet.take(shifted)
    assert value("plantwatch_drift_alarms_total", {"sensor": "21"}) == 2


# A model of before drift was watched: at the start a person is told what to do, later the watcher
# goes on with what it has.
def test_a_model_that_does_not_tell(settings: Settings, exporter: Exporter, fleet: Fleet) -> None:
    old = without_reference(settings)
    fleet.refresh()
    fleet.take(records(small_fleet("train"), 2 * spread_of_other(settings, old)))
    assert exporter.registry.get_sample_value("plantwatch_drifting", {"sensor": "21"}) == 1
    with pytest.raises(ConfigError, match=r"isolation_forest_v0 .* run `make train`"):
        Fleet(settings, Gauges(Exporter()))


def spread_of_other(settings: Settings, old: Named) -> float:
    """One healthy spread of sensor 21, by the model's own table."""
    card = read_artifact(settings.model.cache / old.digest, old.digest)[0]
    return card.features.spread[0][-1]
