"""Heads: from what a representation says of a window, [n, D], to raw and each part's contribution.

Every head is a function of x = (parts - centre) / spread, standardised on normal windows, and gives
raw [n], high = anomalous, and contributions [n, D] that sum to raw. But for the textbook's error, a
window at the normal mean scores 0: that is what contributions are counted from. All in float64 and
elementwise: a matrix product chooses its order of summation by the size of the batch.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from plantwatch.scoring import Float64


@dataclass(frozen=True, eq=False)
class Mixture:
    """Q directions in groups; each group's score is its log-sum-exp, raw their scaled mean.

    `weights` [Q, D] and `bias` [Q] of each direction's log-likelihood ratio, `groups` how many
    directions each of the K groups has, one group after the other, `scale` [K] what a group's
    score is divided by: its deviation on normal windows, or less where it counts more.
    """

    weights: Float64
    bias: Float64
    groups: tuple[int, ...]
    scale: Float64

    def scores(self, x: Float64) -> Float64:
        """Each group's score above that of the normal mean, unscaled: [n, D] -> [n, K]."""
        likelihood = x @ self.weights.T + self.bias
        ends = np.cumsum(self.groups)[:-1]
        pairs = zip(np.split(likelihood, ends, 1), np.split(self.bias, ends), strict=True)
        total = np.logaddexp.reduce
        return np.stack([total(of, axis=1) - total(at) for of, at in pairs], axis=1)

    def raw(self, x: Float64) -> Float64:
        return cast("Float64", (self.scores(x) / self.scale).mean(axis=1))


class ErrorHead(nn.Module):
    """The textbook's score: the mean square."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        contributions = x.square() / x.shape[1]
        return contributions.sum(dim=1), contributions


class LinearHead(nn.Module):
    """The largest of K weighted sums."""

    weights: Tensor

    def __init__(self, weights: Float64) -> None:
        """`weights` [K, D]."""
        super().__init__()
        self.register_buffer("weights", torch.from_numpy(weights))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        parts = x.unsqueeze(1) * self.weights
        sums = parts.sum(dim=2)
        raw = sums.amax(dim=1)
        # Of equal sums both would count: so rare in float64 that a mean of them is as good.
        chosen = (sums == raw.unsqueeze(1)).double()
        chosen = chosen / chosen.sum(dim=1, keepdim=True)
        return raw, (parts * chosen.unsqueeze(2)).sum(dim=1)


class MixtureHead(nn.Module):
    """`Mixture` as a network.

    A direction's part of a window is weight times distance; the contributions are the parts'
    mean, each direction counting by its likelihood. They miss the group's score by the
    Kullback-Leibler divergence of these likelihoods from those at the normal mean, mostly a few
    percent, which is shared out by size.
    """

    weights: Tensor
    bias: Tensor

    def __init__(self, mixture: Mixture) -> None:
        super().__init__()
        self.register_buffer("weights", torch.from_numpy(mixture.weights))
        self.register_buffer("bias", torch.from_numpy(mixture.bias))
        self.groups = mixture.groups
        self.scale = mixture.scale.tolist()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        contributions = torch.zeros_like(x)
        raw = contributions.sum(dim=1)
        start = 0
        for count, scale in zip(self.groups, self.scale, strict=True):
            of = slice(start, start + count)
            score, shares = self._group(x, self.weights[of], self.bias[of])
            raw = raw + score / (scale * len(self.groups))
            contributions = contributions + shares / (scale * len(self.groups))
            start += count
        return raw, contributions

    def _group(self, x: Tensor, weights: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        parts = x.unsqueeze(1) * weights
        likelihood = parts.sum(dim=2) + bias
        largest = likelihood.amax(dim=1, keepdim=True)
        relative = (likelihood - largest).exp()
        total = relative.sum(dim=1, keepdim=True)
        score = (largest + total.log()).squeeze(1) - torch.logsumexp(bias, 0)
        shares = (parts * (relative / total).unsqueeze(2)).sum(dim=1)
        size = shares.abs() + 1e-300
        missing = (score - shares.sum(dim=1)) / size.sum(dim=1)
        return score, shares + size * missing.unsqueeze(1)
