"""Artifacts as somebody would make them who wants no good, and what is said to them."""

from datetime import UTC, datetime
from typing import Final

import pytest
from onnx import NodeProto, TensorProto, helper

from models import card as cards
from models.cache import Named, Role, load_production, write_named
from models.card import Card
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from tests.support.small_training import small_model, small_sample
from training.train import build_card

COLUMNS: Final = 28
"""Of the forest's features: level and slope of 14 sensors."""


def card_of(settings: Settings, network: bytes | None = None) -> Card:
    judged = small_model("isolation_forest")
    card = build_card(judged, small_sample(), settings, datetime(2026, 1, 1, tzinfo=UTC))
    if network is None:
        return card
    return card.model_copy(update={"onnx_sha256": cards.sha256(network)})


def refused(settings: Settings, digest: str) -> str:
    """The one line that refuses a model which the cache names."""
    named = Named(digest=digest, version=1, model_version="isolation_forest_v1")
    write_named(settings.model.cache, Role.PRODUCTION, named)
    with pytest.raises(ConfigError) as refusal:
        load_production(settings)
    assert "\n" not in str(refusal.value)
    assert "make train" in str(refusal.value)
    return str(refusal.value)


def network(
    nodes: list[NodeProto],
    *tensors: TensorProto,
    raw: tuple[int | str, ...] = ("n",),
    opset: int = 21,
    ir: int = 10,
    domain: str = "com.evil",
) -> bytes:
    """A network that takes the forest's features, with what nodes and tensors are given."""
    graph = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", COLUMNS])],
        [helper.make_tensor_value_info("raw", TensorProto.FLOAT, raw)],
        tensors,
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(domain, 1)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=ir)
    text: bytes = made.SerializeToString()
    return text
