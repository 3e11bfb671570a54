"""Artifacts that are not what was trained: refused in one line, and no parser sees them."""

import json
import math
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final, get_args

import onnxruntime
import pytest
from onnx import NodeProto, TensorProto, helper

from models import card as cards
from models.cache import Fetched, Named, Role, load, load_production, read_production, write_named
from models.card import CARD, NETWORK, Card, ModelType, write_artifact
from models.onnx_detector import OnnxScorer
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from tests.support.small_training import cached_model, small_model, small_sample, small_settings
from training.train import build_card

PICKLE = b"\x80\x02]q\x00K\x01a."
"""The list [1], by protocol 2."""
OLD_PICKLE = b"(lp0\nI1\na."
"""The same by protocol 0, which has no first byte of its own."""
OTHER_FORMAT = b"\x08\0\0\0ORTM" + bytes(64)
"""onnxruntime's own, which begins like ONNX where its root lies at the eighth byte."""


def card_of(settings: Settings, network: bytes | None = None) -> Card:
    judged = small_model("isolation_forest")
    card = build_card(judged, small_sample(), settings, datetime(2026, 1, 1, tzinfo=UTC))
    if network is None:
        return card
    return card.model_copy(update={"onnx_sha256": cards.sha256(network)})


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def link(path: Path) -> None:
    outside = path.parents[2] / path.name
    path.rename(outside)
    path.symlink_to(outside)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def remove(path: Path) -> None:
    path.unlink()


def nest(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pickled(path: Path) -> None:
    path.write_bytes(PICKLE)


def swap(path: Path) -> None:
    path.write_bytes(small_model("lstm_ae").fitted.network)


def swell(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(cards.MAX_BYTES + 1)


def torched() -> bytes:
    with BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", PICKLE)
        return file.getvalue()


@pytest.fixture
def no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that reaches onnxruntime fails the test."""
    for model in get_args(ModelType):
        small_model(model)  # kept, and tried when it is made
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("parsed"))


def refused(settings: Settings, digest: str) -> str:
    """The one line that refuses a model which the cache names."""
    named = Named(digest=digest, version=1, model_version="isolation_forest_v1")
    write_named(settings.model.cache, Role.PRODUCTION, named)
    with pytest.raises(ConfigError) as refusal:
        load_production(settings)
    assert "\n" not in str(refusal.value)
    assert "make train" in str(refusal.value)
    return str(refusal.value)


CASES: list[tuple[str, Callable[[Path], None], str]] = [
    *((name, flip, "sha256 differs") for name in (CARD, NETWORK)),
    *((name, truncate, "sha256 differs") for name in (CARD, NETWORK)),
    *((name, empty, "sha256 differs") for name in (CARD, NETWORK)),
    *((name, pickled, "sha256 differs") for name in (CARD, NETWORK)),
    *((name, link, "symbolic link") for name in (CARD, NETWORK)),
    *((name, swell, "larger than") for name in (CARD, NETWORK)),
    *((name, remove, "No such file") for name in (CARD, NETWORK)),
    *((name, nest, "directory") for name in (CARD, NETWORK)),
    (NETWORK, swap, "sha256 differs"),
]


# Files changed after the model was fetched.
@pytest.mark.usefixtures("no_parser")
@pytest.mark.parametrize(("name", "damage", "why"), CASES)
def test_a_changed_file_is_refused(
    name: str, damage: Callable[[Path], None], why: str, tmp_path: Path
) -> None:
    settings = small_settings(MODEL_CACHE=str(tmp_path / "models"))
    network = small_model("isolation_forest").fitted.network
    folder = write_artifact(card_of(settings), network, settings.model.cache)
    damage(folder / name)
    said = refused(settings, folder.name)
    assert why in said
    assert name in said


# Files that were registered like this, so that every digest is right.
@pytest.mark.usefixtures("no_parser")
@pytest.mark.parametrize("network", [PICKLE, OLD_PICKLE, torched(), b"", OTHER_FORMAT])
def test_what_is_no_network_is_refused_with_right_digests(network: bytes, tmp_path: Path) -> None:
    settings = small_settings(MODEL_CACHE=str(tmp_path))
    folder = write_artifact(card_of(settings, network), network, tmp_path)
    assert "no ONNX file" in refused(settings, folder.name)


# A card that is no JSON, or one of another format, though its digest is right.
@pytest.mark.usefixtures("no_parser")
@pytest.mark.parametrize(
    "text", [PICKLE, b"", b"{", b"[]", b'{"schema_version": 2}', b"\xff\xfe{}"]
)
def test_what_is_no_card_is_refused_with_right_digests(text: bytes, tmp_path: Path) -> None:
    folder = tmp_path / cards.sha256(text)
    folder.mkdir()
    (folder / CARD).write_bytes(text)
    (folder / NETWORK).write_bytes(small_model("isolation_forest").fitted.network)
    assert CARD in refused(small_settings(MODEL_CACHE=str(tmp_path)), folder.name)


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
        ("model_type", '"__import__(1)"', "model_type: Input should be"),
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


# A sound model of a plant whose readings or windows are not ours.
@pytest.mark.usefixtures("no_parser")
@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"WINDOW_LENGTH": "20"}, "30 rows in a window, configs say 20"),
        ({"READING_SETTINGS": "2"}, "3 settings in a reading, configs say 2"),
        ({"READING_SENSORS": "19"}, "readings have 19"),
    ],
)
def test_a_model_for_other_readings_is_refused(
    variables: dict[str, str], why: str, tmp_path: Path
) -> None:
    settings = small_settings(MODEL_CACHE=str(tmp_path))
    network = small_model("isolation_forest").fitted.network
    folder = write_artifact(card_of(settings), network, tmp_path)
    assert why in refused(small_settings(MODEL_CACHE=str(tmp_path), **variables), folder.name)


# A digest is a name, not a way out of the cache.
@pytest.mark.parametrize("digest", ["", "..", "../../etc", "a" * 63, "A" * 64, "a" * 64 + "\n"])
def test_a_digest_that_is_a_path_is_refused(digest: str, tmp_path: Path) -> None:
    text = f'{{"digest": "{digest!s}", "version": 1, "model_version": "x"}}'
    (tmp_path / "production.json").write_text(text)
    with pytest.raises(ConfigError, match="damaged"):
        load_production(small_settings(MODEL_CACHE=str(tmp_path)))


# A network that runs, but not on the features of its card, is found out before it is used.
def test_a_network_for_other_features_is_refused(tmp_path: Path) -> None:
    settings = small_settings(MODEL_CACHE=str(tmp_path))
    network = small_model("lstm_ae").fitted.network
    folder = write_artifact(card_of(settings, network), network, tmp_path)
    assert "cannot score" in refused(settings, folder.name)


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


COLUMNS: Final = 28
"""Of the forest's features: level and slope of 14 sensors."""
SUM: Final = [helper.make_node("ReduceSum", ["features", "axis"], ["raw"], keepdims=0)]
AXIS: Final = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
HUGE: Final = helper.make_tensor("shape", TensorProto.INT64, [2], [10**7, 10**6])


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


def constant(shape: tuple[int, ...]) -> bytes:
    """A network that always answers zeros of one shape."""
    zeros = helper.make_tensor("zeros", TensorProto.FLOAT, shape, [0.0] * math.prod(shape))
    return network([helper.make_node("Identity", ["zeros"], ["raw"])], zeros, raw=shape)


# A network that does not give one number for each window is found out before it is used, also one
# that happens to be right for one window or for two.
@pytest.mark.parametrize("shape", [(), (1,), (2,), (1, 1)])
def test_a_network_with_output_of_another_shape_is_refused(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    settings, network = small_settings(MODEL_CACHE=str(tmp_path)), constant(shape)
    folder = write_artifact(card_of(settings, network), network, tmp_path)
    assert "not one number for each" in refused(settings, folder.name)


# What will not do is parsed once, not at every look, until another model is named.
def test_what_will_not_do_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, network = small_settings(MODEL_CACHE=str(tmp_path)), constant((1,))
    cached_model(tmp_path)
    sound = load_production(settings)
    folder = write_artifact(card_of(settings, network), network, tmp_path)
    broken = Named(digest=folder.name, version=2, model_version="isolation_forest_v2")
    parsed: list[bytes] = []
    session = onnxruntime.InferenceSession

    def counted(network: bytes, *more: Any, **named: Any) -> onnxruntime.InferenceSession:
        parsed.append(network)
        return session(network, *more, **named)

    monkeypatch.setattr(onnxruntime, "InferenceSession", counted)
    fetched = Fetched(settings)
    write_named(tmp_path, Role.CHALLENGER, broken)
    said = set()
    for _ in range(3):
        with pytest.raises(ConfigError) as refusal:
            fetched.challenger(None)
        said.add(str(refusal.value))
    assert (len(said), len(parsed)) == (1, 1)
    write_named(tmp_path, Role.CHALLENGER, read_production(tmp_path))
    challenger = fetched.challenger(None)
    assert challenger is not None
    assert challenger.digest == sound.digest


# A file that is damaged on disk can be mended there: it is looked at again.
def test_what_is_damaged_here_is_looked_at_again(tmp_path: Path) -> None:
    settings = small_settings(MODEL_CACHE=str(tmp_path))
    cached_model(tmp_path)
    named = read_production(tmp_path)
    write_named(tmp_path, Role.CHALLENGER, named)
    fetched, network = Fetched(settings), tmp_path / named.digest / NETWORK
    sound = network.read_bytes()
    network.write_bytes(sound[:-1])
    with pytest.raises(ConfigError, match="sha256 differs"):
        fetched.challenger(None)
    network.write_bytes(sound)
    assert fetched.challenger(None) is not None


# What was trained passes all of it.
def test_a_sound_model_is_loaded(tmp_path: Path) -> None:
    settings = small_settings(MODEL_CACHE=str(tmp_path))
    fitted = small_model("isolation_forest").fitted
    folder = write_artifact(card_of(settings), fitted.network, tmp_path)
    named = Named(digest=folder.name, version=1, model_version="isolation_forest_v1")
    windows = small_sample().validation.values[:3]
    wanted = OnnxScorer(fitted.network, fitted.features).raw(windows)
    assert load(settings, named).score(windows).raw.tolist() == wanted.tolist()
