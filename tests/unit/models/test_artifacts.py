"""Artifacts that are not what was trained: refused in one line, and no parser sees them."""

import math
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
from onnx import TensorProto, helper

from models import card as cards
from models.cache import Fetched, Named, Role, load, load_production, read_production, write_named
from models.card import CARD, NETWORK, Card, write_artifact
from models.onnx_detector import OnnxScorer
from plantwatch.errors import ConfigError
from plantwatch.features import model_input
from plantwatch.settings import Settings
from tests.support.small_training import cached_model, small_model, small_sample, small_settings
from training.fitters import FITTERS
from training.train import build_card

PICKLE = b"\x80\x02]q\x00K\x01a."
"""The list [1], by protocol 2."""
OLD_PICKLE = b"(lp0\nI1\na."
"""The same by protocol 0, which has no first byte of its own."""


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
    for model in FITTERS:
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
@pytest.mark.parametrize("network", [PICKLE, OLD_PICKLE, torched(), b""])
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


def constant(shape: tuple[int, ...]) -> bytes:
    """A network that takes the forest's features and always answers zeros of one shape."""
    (columns,) = model_input(
        small_model("isolation_forest").fitted.features, small_sample().validation.values[:1]
    ).shape[1:]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["zeros"], ["raw"])],
        "constant",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", columns])],
        [helper.make_tensor_value_info("raw", TensorProto.FLOAT, shape)],
        [helper.make_tensor("zeros", TensorProto.FLOAT, shape, [0.0] * math.prod(shape))],
    )
    opsets = [helper.make_opsetid("", 21)]
    model: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    return model


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
