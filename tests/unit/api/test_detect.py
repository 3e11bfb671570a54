"""POST /detect and /detect/batch: the contract, and everything that is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.support.api import (
    ROWS,
    TIME,
    name,
    request,
    running,
    tiny_model,
    tiny_settings,
    window,
)
from tests.support.waiting import until


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def client(cache: Path) -> Iterator[httpx.Client]:
    with running(tiny_settings(cache, MAX_BATCH_SIZE="4")) as found:
        yield found


VERDICT = {
    "sensor_id",
    "timestamp",
    "anomaly_score",
    "is_anomaly",
    "confidence",
    "model_version",
    "processing_time_ms",
}


# The answer to one window has the contract's fields, and no other.
def test_one_window(client: httpx.Client) -> None:
    answer = client.post("/detect", json=request())
    assert answer.status_code == 200
    verdict = answer.json()
    assert verdict.keys() == VERDICT
    assert (verdict["sensor_id"], verdict["timestamp"]) == ("engine_001", TIME)
    assert verdict["model_version"] == "lstm_ae_v1"
    assert verdict["is_anomaly"] is False
    assert 0 <= verdict["anomaly_score"] < 0.5
    assert verdict["processing_time_ms"] > 0


# At the threshold the score is 0.5, and the window an anomaly.
def test_the_threshold(client: httpx.Client) -> None:
    verdict = client.post("/detect", json=request(window=window(1 / (2 * ROWS)))).json()
    assert verdict["anomaly_score"] == pytest.approx(0.5)
    assert verdict["is_anomaly"] is True


# Contributions come when they are asked for, of normal windows too; they sum to the raw score.
def test_contributions(client: httpx.Client) -> None:
    rows = [[0.0, 0.1, 0.02]] * ROWS
    told = client.post("/detect", json=request(window=rows, contributions=True)).json()
    assert told.keys() == VERDICT | {"contributions"}
    assert [one["sensor"] for one in told["contributions"]] == [4, 2]  # largest first
    found = [one["contribution"] for one in told["contributions"]]
    assert found == pytest.approx([0.1 * ROWS, 0.02 * ROWS], abs=1e-6)


# Many windows are answered in their order, each as if it were alone.
def test_a_batch(client: httpx.Client) -> None:
    asked = [request(sensor_id=f"m{n}", window=window(n / 10)) for n in range(4)]
    answer = client.post("/detect/batch", json={"windows": asked}).json()
    assert answer.keys() == {"results", "total_processed"}
    assert answer["total_processed"] == 4
    alone = [client.post("/detect", json=one).json() for one in asked]
    for together, one in zip(answer["results"], alone, strict=True):
        assert together.keys() == VERDICT
        assert together["sensor_id"] == one["sensor_id"]
        assert together["anomaly_score"] == pytest.approx(one["anomaly_score"], abs=1e-6)


# GET /model says what a window must look like.
def test_the_model(client: httpx.Client) -> None:
    model = client.get("/model").json()
    assert model["rows"] == ROWS
    assert model["columns"] == ["setting_1", "sensor_4", "sensor_2"]
    assert model["model_version"] == "lstm_ae_v1"


def raw(**fields: str) -> bytes:
    """A request's text, with some fields written as JSON's own parser would not."""
    texts = {key: orjson.dumps(value).decode() for key, value in request().items()} | fields
    return ("{" + ", ".join(f'"{key}": {value}' for key, value in texts.items()) + "}").encode()


def rows(value: str) -> str:
    return f"[[{value}, 0, 0], [0, 0, 0], [0, 0, 0]]"


FIRST = ["body", "window", 0, 0]
REFUSED: list[tuple[str, bytes, list[Any]]] = [
    ("not a number", raw(window=rows("NaN")), FIRST),
    ("infinity", raw(window=rows("Infinity")), FIRST),
    ("minus infinity", raw(window=rows("-Infinity")), FIRST),
    ("beyond float64", raw(window=rows("1e999")), FIRST),
    ("beyond float32", raw(window=rows("3.5e38")), FIRST),
    ("a text for a number", raw(window=rows('"1"')), FIRST),
    ("a flag for a number", raw(window=rows("true")), FIRST),
    ("nothing for a number", raw(window=rows("null")), FIRST),
    ("a row too many", raw(window="[[0,0,0],[0,0,0],[0,0,0],[0,0,0]]"), ["body", "window"]),
    ("a short row", raw(window="[[0,0,0],[0,0],[0,0,0]]"), ["body", "window"]),
    ("a long row", raw(window="[[0,0,0],[0,0,0],[0,0,0,0]]"), ["body", "window"]),
    ("no row", raw(window="[]"), ["body", "window"]),
    ("no window", raw(window="{}"), ["body", "window"]),
    ("a sum beyond float32", raw(window="[[0,3e38,3e38],[0,0,0],[0,0,0]]"), ["body", "window"]),
    ("a number as a name", raw(sensor_id="7"), ["body", "sensor_id"]),
    ("an empty name", raw(sensor_id='""'), ["body", "sensor_id"]),
    ("a long name", raw(sensor_id='"' + 65 * "x" + '"'), ["body", "sensor_id"]),
    ("a NUL in a name", raw(sensor_id='"a\\u0000"'), ["body", "sensor_id"]),
    ("half a character", raw(sensor_id='"\\ud800"'), ["body"]),
    ("a time of no zone", raw(timestamp='"2024-01-15T09:23:11"'), ["body", "timestamp"]),
    ("a time as a number", raw(timestamp="1705310591"), ["body", "timestamp"]),
    ("a number as a time", raw(timestamp='"1705310591"'), ["body", "timestamp"]),
    ("the 30th of February", raw(timestamp='"2024-02-30T00:00:00Z"'), ["body", "timestamp"]),
    ("an unknown field", raw(cycle="7"), ["body", "cycle"]),
    ("a word for a flag", raw(contributions='"yes"'), ["body", "contributions"]),
    ("no field", b"{}", ["body", "sensor_id"]),
    ("a list", b"[]", ["body"]),
    ("nothing", b"", ["body"]),
    ("half a document", raw()[:-9], ["body"]),
    ("no UTF-8", b'{"sensor_id": "\xff"}', ["body"]),
    ("endless nesting", b"[" * 100_000, ["body"]),
    ("endless digits", raw(window=rows("1" * 10_000)), ["body"]),
]


# Whatever is wrong is answered with 422 and the field's name, never with an error of ours.
@pytest.mark.parametrize(
    ("body", "where"), [one[1:] for one in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_bad_input_is_named(client: httpx.Client, body: bytes, where: list[Any]) -> None:
    answer = client.post("/detect", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    mistakes = answer.json()["detail"]
    assert mistakes[0]["loc"] == where
    assert all(one.keys() == {"loc", "type", "msg"} for one in mistakes)


# Of a batch with one bad window nothing is judged, and the window is named.
@pytest.mark.parametrize(
    ("bad", "where"),
    [
        (window()[1:], ["body", "windows", 1, "window"]),
        ([["1", 0, 0]] * ROWS, ["body", "windows", 1, "window", 0, 0]),
        ([[0, 3e38, 3e38]] * ROWS, ["body", "windows", 1, "window"]),
    ],
)
def test_a_bad_window_among_good_ones(
    client: httpx.Client, bad: list[Any], where: list[Any]
) -> None:
    asked = [request(), request(window=bad), request()]
    answer = client.post("/detect/batch", json={"windows": asked})
    assert answer.status_code == 422
    assert [one["loc"] for one in answer.json()["detail"]] == [where]


# More windows than MAX_BATCH_SIZE, and none, are refused.
@pytest.mark.parametrize("number", [0, 5])
def test_the_size_of_a_batch(client: httpx.Client, number: int) -> None:
    answer = client.post("/detect/batch", json={"windows": [request()] * number})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "windows"]


# A document with thousands of mistakes is answered with the first few.
def test_many_mistakes_are_a_short_answer(client: httpx.Client) -> None:
    answer = client.post("/detect", json=request(**{f"x{n}": 0 for n in range(10_000)}))
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) == 20


# What a page in a browser may send without asking is not taken for JSON.
def test_only_json_is_taken(client: httpx.Client) -> None:
    answer = client.post("/detect", content=raw(), headers={"content-type": "text/plain"})
    assert answer.status_code == 415


# The alias moves, and the next requests are judged by the other model, without a restart.
def test_another_model_is_taken_up(tmp_path: Path) -> None:
    with running(tiny_settings(tmp_path, MODEL_REFRESH_SEC="0.05")) as client:
        before = client.post("/detect", json=request(window=window(0.1))).json()
        name(tmp_path, tiny_model(tmp_path, factor=10), version=2)
        until(lambda: client.get("/health").json()["model_version"] == "lstm_ae_v2")
        after = client.post("/detect", json=request(window=window(0.1))).json()
        assert (before["is_anomaly"], after["is_anomaly"]) == (False, True)
        assert after["model_version"] == "lstm_ae_v2"


# A model that cannot be used is not taken up, and the one before goes on judging.
def test_a_damaged_model_is_not_taken_up(tmp_path: Path) -> None:
    with running(tiny_settings(tmp_path, MODEL_REFRESH_SEC="0.05")) as client:
        name(tmp_path, "0" * 64, version=2)
        refused = 'plantwatch_models_refused_total{role="production"} 1.0'
        until(lambda: refused in client.get("/metrics").text)
        assert client.post("/detect", json=request()).json()["model_version"] == "lstm_ae_v1"


# While there is no model: 503 and when to ask again; it is taken up when it comes.
def test_there_is_no_model_yet(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path, MODEL_REFRESH_SEC="0.05")
    production = (tmp_path / "production.json").rename(tmp_path / "later")
    with running(settings) as client:
        for answer in (client.post("/detect", json=request()), client.get("/model")):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert "plantwatch models fetch" in answer.json()["detail"]
        health = client.get("/health")
        assert health.status_code == 503
        assert health.json() == {
            "status": "unhealthy",
            "model_loaded": False,
            "model_version": None,
        }
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        production.rename(tmp_path / "production.json")
        until(lambda: client.get("/readyz").status_code == 200)
        assert client.get("/health").json() == {
            "status": "healthy",
            "model_loaded": True,
            "model_version": "lstm_ae_v1",
        }
        assert client.post("/detect", json=request()).status_code == 200
