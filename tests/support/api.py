"""The API on a real socket, and a model that judges thousands a second."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from onnx import TensorProto, helper

from api.app import build
from models.cache import Named, Role, write_named
from models.card import Card, TrainedOn, sha256, write_artifact
from plantwatch.configuration import load
from plantwatch.features import FeatureSpec
from plantwatch.settings import Settings
from tests.support.servers import CONFIGS

ROWS, SENSORS = 3, (4, 2)
TIME = "2024-01-15T09:23:11Z"
TINY = {"WINDOW_LENGTH": str(ROWS), "READING_SETTINGS": "1"}
"""Readings and windows of the tiny model."""


@contextmanager
def running(settings: Settings) -> Iterator[httpx.Client]:
    """The API of these settings, on a port of its own and in this process."""
    at = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(build(settings), log_config=None, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [at]})
    thread.start()
    address = f"http://127.0.0.1:{at.getsockname()[1]}"
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def tiny_settings(cache: Path, **variables: str) -> Settings:
    """Settings whose cache has a tiny model in production."""
    own = load(CONFIGS, TINY | {"MODEL_CACHE": str(cache)} | variables)
    name(cache, tiny_model(cache))
    return own


def name(cache: Path, digest: str, version: int = 1) -> None:
    """Put a model of the cache into production."""
    named = Named(digest=digest, version=version, model_version=f"lstm_ae_v{version}")
    write_named(cache, Role.PRODUCTION, named)


def tiny_model(cache: Path, factor: float = 1.0) -> str:
    """A model whose raw is `factor` times the sum of its sensors, anomalous from 1; its digest."""
    network = _network(factor)
    features = FeatureSpec(
        kind="sequence",
        length=ROWS,
        sensors=SENSORS,
        setting_scale=(1.0,),
        centroids=((0.0,),),
        centre=((0.0,) * len(SENSORS),),
        spread=((1.0,) * len(SENSORS),),
        level_rows=1,
        rolling_rows=1,
    )
    made_of = TrainedOn(
        dataset="tiny", source="made up", data_hash="", fit_engines=(1,), validation_engines=(2,)
    )
    card = Card(
        model_type="lstm_ae",
        features=features,
        threshold=1.0,
        scale=1.0,
        platt_a=1.0,
        platt_b=0.0,
        label_rul=30,
        supervision="U",
        trained_on=made_of,
        onnx_sha256=sha256(network),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        metrics={},
    )
    cache.mkdir(parents=True, exist_ok=True)
    return write_artifact(card, network, cache).name


def window(value: float = 0.0) -> list[list[float]]:
    """Rows of the tiny model: a setting, then two sensors, each of this value."""
    return [[0.0] + [value] * len(SENSORS)] * ROWS


def request(**fields: Any) -> dict[str, Any]:
    """A sound request of /detect but for these fields."""
    return {"sensor_id": "engine_001", "window": window(), "timestamp": TIME} | fields


def _network(factor: float) -> bytes:
    graph = helper.make_graph(
        [
            helper.make_node("ReduceSum", ["features", "axes"], ["sum"], keepdims=0),
            helper.make_node("Mul", ["sum", "factor"], ["raw"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", ROWS, len(SENSORS)])],
        [helper.make_tensor_value_info("raw", TensorProto.FLOAT, ["n"])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
            helper.make_tensor("factor", TensorProto.FLOAT, [], [factor]),
        ],
    )
    opsets = [helper.make_opsetid("", 21)]
    made: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    return made
