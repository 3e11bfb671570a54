"""Artifacts that were registered with right digests by somebody who wants no good."""

import json
from pathlib import Path
from typing import Final

import pytest
from onnx import TensorProto, helper

from models import card as cards
from models.cache import Named, load
from models.card import CARD, NETWORK, write_artifact
from tests.support.artifacts import COLUMNS, card_of, network, refused
from tests.support.small_training import small_model, small_settings

SUM: Final = [helper.make_node("ReduceSum", ["features", "axis"], ["raw"], keepdims=0)]
AXIS: Final = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
HUGE: Final = helper.make_tensor("shape", TensorProto.INT64, [2], [10**7, 10**6])


# A card that was registered with what no training writes: each is refused by its name, with digests
# that are right, and no parser sees the network.
@pytest.mark.usefixtures("no_parser")
@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("threshold", "NaN", "threshold: Input should be a finite number"),
        ("scale", "Infinity", "scale: Input should be a finite number"),
        ("scale", "0", "scale: Input should be greater than 0"),
        ("platt_a", "-1e999", "platt_a: Input should be a finite number"),
        ("network", '"/etc/passwd"', "network: Extra inputs are not permitted"),
        ("onnx_sha256", '"../../etc/passwd"', "onnx_sha256: String should match"),
        ("model_type", '"__import__(1)"', "model_type: "),
        ("features.centre", "[[NaN]]", "features.centre.0.0: Input should be a finite number"),
        ("features.sensors", "[]", "features.sensors: Tuple should have at least 1 item"),
        ("features.path", '"x"', "features.path: Extra inputs are not permitted"),
        ("trained_on.dataset", '"../../etc/passwd"', "trained_on.dataset: String should match"),
        ("metrics", "[" * 5_000 + "]" * 5_000, "recursion limit"),
    ],
)
def test_a_hostile_card_is_refused_with_right_digests(
    key: str, value: str, why: str, tmp_path: Path
) -> None:
    settings = small_settings(MODEL_CACHE=str(tmp_path))
    document = json.loads(card_of(settings).model_dump_json())
    *parents, last = key.split(".")
    inner = document
    for one in parents:
        inner = inner[one]
    inner[last] = "hostile"
    text = json.dumps(document).replace('"hostile"', value).encode()
    folder = tmp_path / cards.sha256(text)
    folder.mkdir()
    (folder / CARD).write_bytes(text)
    (folder / NETWORK).write_bytes(small_model("isolation_forest").fitted.network)
    assert why in refused(settings, folder.name)


def elsewhere(location: str) -> bytes:
    """A network whose only weights lie in a file."""
    weights = TensorProto(
        name="weights",
        data_type=TensorProto.FLOAT,
        dims=[COLUMNS, 1],
        data_location=TensorProto.EXTERNAL,
    )
    for key, value in (("location", location), ("offset", "0"), ("length", str(4 * COLUMNS))):
        entry = weights.external_data.add()
        entry.key, entry.value = key, value
    product = helper.make_node("MatMul", ["features", "weights"], ["column"])
    return network(
        [product, helper.make_node("Squeeze", ["column", "axis"], ["raw"])], weights, AXIS
    )


# Weights outside of the network are of no sha256, and might be a secret's bytes: read by a path out
# of the folder, or by a name in it, which onnxruntime itself would take.
@pytest.mark.usefixtures("no_parser")
@pytest.mark.parametrize("location", ["../../../../etc/passwd", "/etc/passwd", ".env", CARD])
def test_a_network_that_reads_other_files_is_refused(location: str, tmp_path: Path) -> None:
    settings, hostile = small_settings(MODEL_CACHE=str(tmp_path)), elsewhere(location)
    folder = write_artifact(card_of(settings, hostile), hostile, tmp_path)
    assert "files outside of it" in refused(settings, folder.name)


GREAT: Final = [
    helper.make_node("ConstantOfShape", ["shape"], ["big"]),
    helper.make_node("ReduceSum", ["big"], ["raw"], keepdims=0),
]


HOSTILE: dict[str, tuple[bytes, str]] = {
    "garbage after its first byte": (b"\x08" + bytes(range(200)), "no network onnxruntime can run"),
    "something after its end": (network(SUM, AXIS) + b"more", "no network onnxruntime can run"),
    "an operator of its own": (
        network([helper.make_node("Evil", ["features"], ["raw"], domain="com.evil")]),
        "com.evil:Evil(-1) is not a registered function/op",
    ),
    "an opset of tomorrow": (network(SUM, AXIS, opset=99), "no network onnxruntime can run"),
    "a format of tomorrow": (network(SUM, AXIS, ir=99), "no network onnxruntime can run"),
    "a tensor of 40 TB": (network(GREAT, HUGE), "cannot score"),
    "a tensor without its bytes": (
        network(
            [helper.make_node("MatMul", ["features", "w"], ["raw"])],
            TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[28, 2**40], raw_data=b"x" * 8),
        ),
        "no network onnxruntime can run",
    ),
    "a ring": (
        network(
            [
                helper.make_node("Identity", ["b"], ["a"]),
                helper.make_node("Identity", ["a"], ["b"]),
                helper.make_node("Identity", ["a"], ["raw"]),
            ]
        ),
        "acyclic",
    ),
    "an input from nowhere": (
        network([helper.make_node("Identity", ["nowhere"], ["raw"])]),
        "no network onnxruntime can run",
    ),
    "words for numbers": (
        network([helper.make_node("Cast", ["features"], ["raw"], to=TensorProto.STRING)]),
        "cannot score",
    ),
    "no answer at all": (network([], AXIS), "cannot score"),
    "a number for each feature": (
        network([helper.make_node("Identity", ["features"], ["raw"])], raw=("n", COLUMNS)),
        "not one number for each",
    ),
}


# Networks that were registered with right digests, and that onnxruntime or the trial refuses, each
# in one line. The registry's follower tries them like this before it names one for a worker.
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_network_is_refused(name: str, tmp_path: Path) -> None:
    settings, (hostile, why) = small_settings(MODEL_CACHE=str(tmp_path)), HOSTILE[name]
    folder = write_artifact(card_of(settings, hostile), hostile, tmp_path)
    said = refused(settings, folder.name)
    assert why in said
    assert len(said) < 400


# The same from a sound network: what is refused above is refused for what is wrong with it.
def test_a_network_made_like_those_is_loaded(tmp_path: Path) -> None:
    settings, sound = small_settings(MODEL_CACHE=str(tmp_path)), network(SUM, AXIS)
    folder = write_artifact(card_of(settings, sound), sound, tmp_path)
    named = Named(digest=folder.name, version=1, model_version="isolation_forest_v1")
    assert load(settings, named).digest == folder.name
