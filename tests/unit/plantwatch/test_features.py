from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pydantic import ValidationError

from plantwatch.features import FeatureSpec, Kind, model_input, regimes

SENSORS = (2, 5, 21)
SCALE = (42.0, 0.84, 100.0)
CENTROIDS = ((0.0, 0.0, 1.0), (0.5, 0.7, 1.0))
CENTRE = ((10.0, 20.0, 30.0), (40.0, 50.0, 60.0))
WEIGHT = ((1.0, 2.0, 0.1), (0.5, 3.0, 1.0))
SPREAD = ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))


def spec(kind: Kind, n_regimes: int = 2) -> FeatureSpec:
    features = 2 * len(SENSORS) if kind == "level_slope" else 0
    return FeatureSpec(
        kind=kind,
        length=30,
        sensors=SENSORS,
        setting_scale=SCALE,
        centroids=CENTROIDS[:n_regimes],
        centre=CENTRE[:n_regimes],
        spread=SPREAD[:n_regimes],
        level_rows=10,
        rolling_rows=5,
        feature_centre=tuple(0.1 * i for i in range(features)),
        feature_spread=tuple(1.0 + i for i in range(features)),
    )


def weighted() -> FeatureSpec:
    return FeatureSpec.model_validate(spec("level_slope").model_dump() | {"weight": WEIGHT})


def windows(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    regime = rng.integers(2, size=(n, 30))
    settings = np.asarray(CENTROIDS)[regime] * SCALE + rng.normal(0, 0.001, (n, 30, 3))
    sensors = rng.normal(50.0, 20.0, (n, 30, 21))
    return np.concatenate([settings, sensors], axis=2).astype(np.float32)


def scaled_by_definition(batch: np.ndarray) -> np.ndarray:
    x = batch.astype(np.float64)
    distance = ((x[:, :, None, :3] / SCALE - np.asarray(CENTROIDS)) ** 2).sum(axis=-1)
    regime = distance.argmin(axis=-1)
    values = x[:, :, [3 + sensor - 1 for sensor in SENSORS]]
    scaled: np.ndarray = (values - np.asarray(CENTRE)[regime]) / np.asarray(SPREAD)[regime]
    return scaled


# A reading is scaled by the regime whose centroid lies nearest to its settings.
def test_each_reading_is_scaled_by_its_own_regime() -> None:
    batch = windows(7)
    assert set(np.unique(regimes(spec("sequence"), batch))) == {0, 1}
    got = model_input(spec("sequence"), batch)
    assert got.dtype == np.float32
    assert_allclose(got, scaled_by_definition(batch), rtol=1e-5, atol=1e-5)


# Level and slope equal the textbook: mean of the last ten rows, and numpy's least-squares line.
def test_level_and_slope_equal_their_definition() -> None:
    batch = windows(5)
    z = scaled_by_definition(batch)
    slope = [np.polyfit(np.arange(30), window, 1)[0] for window in z]
    wanted = np.concatenate([z[:, -10:].mean(axis=1), slope], axis=1)
    wanted = (wanted - 0.1 * np.arange(6)) / (1.0 + np.arange(6))
    got = model_input(spec("level_slope"), batch)
    assert got.dtype == np.float32
    assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


# With weights they are numpy's weighted mean and line, each row weighing as its regime does.
def test_weighted_level_and_slope_equal_their_definition() -> None:
    batch = windows(5)
    z, w = scaled_by_definition(batch), np.asarray(WEIGHT)[regimes(weighted(), batch)]
    level = np.average(z[:, -10:], axis=1, weights=w[:, -10:])
    slope = [
        [np.polyfit(np.arange(30), z[n, :, s], 1, w=np.sqrt(w[n, :, s]))[0] for s in range(3)]
        for n in range(5)
    ]
    wanted = np.concatenate([level, slope], axis=1)
    wanted = (wanted - 0.1 * np.arange(6)) / (1.0 + np.arange(6))
    assert_allclose(model_input(weighted(), batch), wanted, rtol=1e-4, atol=1e-5)


# Rolling statistics look back five rows, and at the beginning of a window at those there are.
def test_rolling_statistics_equal_their_definition() -> None:
    batch = windows(4)
    z = scaled_by_definition(batch)
    pieces = [z[:, max(0, row - 4) : row + 1] for row in range(30)]
    mean = np.stack([piece.mean(axis=1) for piece in pieces], axis=1)
    deviation = np.stack([piece.std(axis=1) for piece in pieces], axis=1)
    got = model_input(spec("rolling"), batch)
    assert_allclose(got, np.concatenate([mean, deviation], axis=2), rtol=1e-4, atol=1e-4)


# However a batch is cut, every window's features are the same, bit for bit.
@given(
    of=st.sampled_from(
        [weighted()]
        + [spec(kind, n) for kind in ("level_slope", "sequence", "rolling") for n in (1, 2)]
    ),
    n=st.integers(1, 70),
    cuts=st.lists(st.integers(0, 70), max_size=5),
    seed=st.integers(0, 1000),
)
def test_features_do_not_depend_on_the_batch(
    of: FeatureSpec, n: int, cuts: list[int], seed: int
) -> None:
    batch = windows(n, seed)
    whole = model_input(of, batch)
    edges = sorted({0, n, *(cut for cut in cuts if cut < n)})
    parts = [model_input(of, batch[a:b]) for a, b in pairwise(edges)]
    assert_array_equal(np.concatenate(parts).view(np.uint32), whole.view(np.uint32))
    alone = [model_input(of, batch[i : i + 1]) for i in range(n)]
    assert_array_equal(np.concatenate(alone).view(np.uint32), whole.view(np.uint32))


# An empty batch has no features, and is no error.
@pytest.mark.parametrize("kind", ["level_slope", "sequence", "rolling"])
def test_an_empty_batch_is_empty(kind: Kind) -> None:
    assert len(model_input(spec(kind), windows(0))) == 0


# A reading beyond float32 taints only its own window, without a warning.
def test_huge_readings_taint_only_their_window() -> None:
    batch = windows(3)
    clean = model_input(spec("level_slope"), batch)
    batch[1] = 3e38
    tainted = model_input(spec("level_slope"), batch)
    assert not np.isfinite(tainted[1]).all()
    assert_array_equal(tainted[[0, 2]], clean[[0, 2]])


# A card whose tables do not fit together is refused when it is read, not while streaming.
@pytest.mark.parametrize(
    "change",
    [
        {"centre": CENTRE[:1]},
        {"spread": ((1.0, 2.0, 0.0), SPREAD[1])},
        {"centroids": ((0.0, 0.0), (1.0, 1.0))},
        {"feature_centre": ()},
        {"level_rows": 31},
        {"kind": "sequence"},
        {"weight": WEIGHT[:1]},
        {"weight": ((1.0, 2.0, 0.0), WEIGHT[1])},
        {"sensors": ()},
    ],
)
def test_a_spec_that_does_not_fit_together_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FeatureSpec.model_validate(spec("level_slope").model_dump() | change)


# A spec survives its way through JSON exactly: what was trained is what is served.
def test_a_spec_survives_json() -> None:
    before = spec("level_slope")
    assert FeatureSpec.model_validate_json(before.model_dump_json()) == before
