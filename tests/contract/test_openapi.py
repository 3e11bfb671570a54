"""docs/openapi.json: the contract that clients are made from changes on purpose only."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.app import described
from plantwatch.configuration import load
from tests.support.servers import CONFIGS

COMMITTED = CONFIGS.parent / "docs" / "openapi.json"


# `plantwatch config openapi` would change nothing.
def test_the_snapshot_is_in_step(tmp_path: Path) -> None:
    said = described(load(CONFIGS, {"MODEL_CACHE": str(tmp_path)}))
    assert said == COMMITTED.read_text(encoding="utf-8")


def schemas(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All that describe a value, wherever they stand."""
    if isinstance(node, list):
        for one in node:
            yield from schemas(one, path)
    if isinstance(node, dict):
        if "title" in node and "info" not in path:
            yield path, node
        for name, below in node.items():
            yield from schemas(below, f"{path}/{name}")


# Each value has a type: nothing may be anything.
def test_nothing_may_be_anything() -> None:
    document = json.loads(COMMITTED.read_text(encoding="utf-8"))
    del document["info"]
    typed = {"type", "anyOf", "$ref", "enum", "const", "allOf"}
    found = dict(schemas(document))
    assert len(found) > 50
    assert {path: one for path, one in found.items() if not typed & one.keys()} == {}


# The contract's fields, as they were promised.
def test_the_contract() -> None:
    document = json.loads(COMMITTED.read_text(encoding="utf-8"))
    shapes = document["components"]["schemas"]
    assert set(shapes["DetectRequest"]["required"]) == {"sensor_id", "window", "timestamp"}
    assert set(shapes["DetectResponse"]["required"]) == {
        *("sensor_id", "timestamp", "anomaly_score", "is_anomaly", "confidence"),
        *("model_version", "processing_time_ms"),
    }
    assert shapes["BatchRequest"]["required"] == ["windows"]
    assert set(shapes["BatchResponse"]["required"]) == {"results", "total_processed"}
    assert set(shapes["Health"]["required"]) == {"status", "model_loaded", "model_version"}
    assert set(document["paths"]) == {
        *("/detect", "/detect/batch", "/model", "/health", "/healthz", "/readyz", "/metrics"),
        *("/events", "/incidents"),
    }
