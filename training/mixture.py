"""The mixture of directions: in which directions machines fail, and how likely a window lies there.

Normal windows are one Gaussian, failing ones a mixture of K with a common covariance: each cluster
of failures is a linear discriminant (Fisher 1936), their log-sum-exp the likelihood ratio. The mean
over several K makes the number of ways to fail no choice.
"""

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from models import isolation_forest
from models.heads import Mixture
from plantwatch.scoring import Float64
from plantwatch.settings import IsolationForest
from plantwatch.settings import MixtureHead as Config
from training.directions import Labels, clusters
from training.summary import Summary

Flags = NDArray[np.bool_]


def fit_mixture(summary: Summary, config: Config) -> Mixture:
    """W: failing are the last windows of each engine, clustered by engine."""
    windows = summary.windows
    failing = windows.rul < config.end_windows
    engines, of = np.unique(windows.engine[failing], return_inverse=True)
    ends = np.stack([summary.x[failing][of == one].mean(axis=0) for one in range(len(engines))])
    groups = [clusters(ends, count)[of] for count in config.directions]
    return _mixture(summary, failing, groups, config.failing_share, config.shrinkage)


def fit_self_trained(
    summary: Summary, config: Config, forest: IsolationForest, seed: int
) -> Mixture:
    """U: failing is what scores highest, first by a forest of normal windows, then by the mixture
    itself, round after round; no end of life is looked at.
    """
    x32 = summary.x.astype(np.float32)
    raw = -isolation_forest.fit(x32[summary.normal], forest, seed).score_samples(x32)
    for _ in range(config.rounds):
        failing = raw >= np.quantile(raw, 1 - config.suspect_share)
        groups = [clusters(summary.x[failing], count) for count in config.directions]
        mixture = _mixture(summary, failing, groups, config.suspect_weight, config.shrinkage)
        raw = mixture.raw(summary.x)
    return mixture


def _mixture(
    summary: Summary,
    failing: Flags,
    clusterings: list[Labels],
    failing_share: float,
    shrinkage: float,
) -> Mixture:
    """One group of directions for each clustering of the failing windows."""
    x = summary.x[failing]
    normal_covariance = np.cov(summary.x[summary.normal].T)
    weights, biases = [], []
    for labels in clusterings:
        means = np.stack([x[labels == one].mean(axis=0) for one in range(labels.max() + 1)])
        within = np.cov((x - means[labels]).T)
        covariance = failing_share * within + (1 - failing_share) * normal_covariance
        directions = np.linalg.solve(_shrunk(covariance, shrinkage), means.T).T
        weights.append(directions)
        biases.append(-0.5 * (directions * means).sum(axis=1))
    groups = tuple(len(bias) for bias in biases)
    mixture = Mixture(np.concatenate(weights), np.concatenate(biases), groups, np.ones(len(groups)))
    return replace(mixture, scale=mixture.scores(summary.x[summary.normal]).std(axis=0))


def _shrunk(covariance: Float64, share: float) -> Float64:
    """`share` of it replaced by a sphere of the same size (Ledoit and Wolf 2004)."""
    size = np.trace(covariance) / len(covariance)
    return cast("Float64", (1 - share) * covariance + share * size * np.eye(len(covariance)))
