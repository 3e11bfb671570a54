"""Heads: scores and contributions, on windows that are made up."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

from models.heads import ErrorHead, LinearHead, Mixture, MixtureHead

RNG = np.random.default_rng(0)
MIXTURE = Mixture(
    weights=RNG.normal(size=(6, 8)),
    bias=-np.abs(RNG.normal(size=6)),
    groups=(1, 2, 3),
    scale=np.array([1.0, 2.0, 3.0]),
)
HEADS = {
    "mse": ErrorHead(),
    "one direction": LinearHead(RNG.normal(size=(1, 8))),
    "three directions": LinearHead(RNG.normal(size=(3, 8))),
    "mixture": MixtureHead(MIXTURE),
}


def said(head: nn.Module, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    raw, contributions = head(torch.from_numpy(x))
    return raw.numpy(), contributions.numpy()


# What the parts of a window contribute adds up to its score, however far out it lies.
@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("size", [0.01, 1, 100, 1e4])
def test_contributions_sum_to_raw(name: str, size: float) -> None:
    raw, contributions = said(HEADS[name], size * RNG.normal(size=(50, 8)))
    assert_allclose(contributions.sum(axis=1), raw, rtol=1e-12, atol=1e-9)


# A window at the normal mean scores 0, and nobody is to blame.
@pytest.mark.parametrize("name", HEADS)
def test_the_normal_mean_scores_zero(name: str) -> None:
    raw, contributions = said(HEADS[name], np.zeros((1, 8)))
    assert_allclose(raw, 0, atol=1e-12)
    assert_allclose(contributions, 0, atol=1e-12)


# A part that stands where it always does contributes nothing, whatever the others do.
@pytest.mark.parametrize("name", HEADS)
def test_what_is_normal_contributes_nothing(name: str) -> None:
    x = RNG.normal(size=(20, 8))
    x[:, 3] = 0
    assert_allclose(said(HEADS[name], x)[1][:, 3], 0, atol=1e-12)


# The network is the mixture by its definition, which log-sum-exp of huge numbers does not break.
@pytest.mark.parametrize("size", [1, 1e6])
def test_the_mixture_is_its_definition(size: float) -> None:
    x = size * RNG.normal(size=(20, 8))
    assert_allclose(said(HEADS["mixture"], x)[0], MIXTURE.raw(x), rtol=1e-12, atol=1e-12)
