"""/detect says of a window what the stream says of it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from data import cmapss
from data.fleet import Fleet
from models.cache import Named, Role, write_named
from models.onnx_detector import OnnxDetector
from plantwatch.accounting import Ledger
from plantwatch.instants import to_iso
from plantwatch.messages import ScoreEvent, SensorReading, score_event_from_bytes
from plantwatch.scoring import TOLERANCE
from plantwatch.settings import Settings
from stream_processors import chunks
from stream_processors.partition import Partition
from tests.support.api import running
from tests.support.small_training import small_detector, small_fleet, small_settings
from tests.support.streams import Message
from training.fitters import FITTERS

ENGINES = 3


def streamed(fleet: Fleet, detector: OnnxDetector, settings: Settings) -> list[ScoreEvent]:
    """What the worker's own code makes of the first engines' rows, as messages of `readings`."""
    messages = []
    rows = [
        row
        for of_one in list(fleet.slices.values())[:ENGINES]
        for row in range(len(fleet.cycle))[of_one]
    ]
    split = settings.reading.settings
    for row in rows:
        sensor_id, values = fleet.sensor_id(int(fleet.engine[row])), fleet.values[row].tolist()
        reading = SensorReading(
            sensor_id=sensor_id,
            cycle=int(fleet.cycle[row]),
            event_time=to_iso(1_000_000 * row),
            settings=values[:split],
            sensors=values[split:],
        )
        messages.append(Message(row, sensor_id.encode(), reading.to_bytes()))
    partition = Partition(0, settings, Ledger(rows[0], rows[0]), rows[0])
    outputs = chunks.process([(partition, messages)], detector).outputs
    return [
        score_event_from_bytes(one.value) for one in outputs if one.topic == settings.topics.scores
    ]


def asked(fleet: Fleet, event: ScoreEvent, columns: list[str]) -> dict[str, object]:
    """The request of a verdict's own window, its columns by name."""
    names = [f"setting_{n}" for n in range(1, 4)] + [f"sensor_{n}" for n in range(1, 22)]
    rows = fleet.values[event.first_offset : event.offset + 1]
    return {
        "sensor_id": event.sensor_id,
        "window": rows[:, [names.index(one) for one in columns]].tolist(),
        "timestamp": event.event_time,
    }


@pytest.fixture(scope="module", params=FITTERS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[OnnxDetector, httpx.Client, Settings]]:
    """Each type of model, in production."""
    cache = tmp_path_factory.mktemp("models")
    detector = small_detector(request.param, cache)
    named = Named(digest=detector.digest, version=3, model_version=detector.version)
    write_named(cache, Role.PRODUCTION, named)
    settings = small_settings(MODEL_CACHE=str(cache))
    with running(settings) as client:
        yield detector, client, settings


def compare(fleet: Fleet, served: tuple[OnnxDetector, httpx.Client, Settings]) -> None:
    detector, client, settings = served
    events = streamed(fleet, detector, settings)
    columns = client.get("/model").json()["columns"]
    requests = [asked(fleet, one, columns) for one in events]
    together = []
    for start in range(0, len(requests), settings.api.max_batch_size):
        part = {"windows": requests[start : start + settings.api.max_batch_size]}
        together += client.post("/detect/batch", json=part).json()["results"]
    scores = [one.anomaly_score for one in events]
    assert len(scores) > 100
    assert len({one.is_anomaly for one in events}) == 2  # both kinds are compared
    for field in ("anomaly_score", "confidence"):
        found = [one[field] for one in together]
        wanted = [getattr(one, field) for one in events]
        assert np.abs(np.subtract(found, wanted)).max() <= TOLERANCE
    assert [one["is_anomaly"] for one in together] == [one.is_anomaly for one in events]
    for at in range(0, len(events), len(events) // 20):
        alone = client.post("/detect", json=requests[at]).json()
        of_one = client.post("/detect/batch", json={"windows": [requests[at]]}).json()
        assert alone["anomaly_score"] == pytest.approx(scores[at], abs=TOLERANCE)
        assert alone["anomaly_score"] == of_one["results"][0]["anomaly_score"]
        assert alone["model_version"] == events[at].model_version


# A window gets the stream's score, alone, as a batch of one, and among five hundred others.
def test_the_api_scores_as_the_stream(
    served: tuple[OnnxDetector, httpx.Client, Settings],
) -> None:
    compare(small_fleet("train"), served)


# The same on NASA's engines.
@pytest.mark.nasa
def test_the_api_scores_nasas_engines_as_the_stream(
    served: tuple[OnnxDetector, httpx.Client, Settings], cmapss_dir: Path
) -> None:
    compare(cmapss.read(cmapss_dir, "FD001", "train", "NASA C-MAPSS"), served)
