"""Heads fitted to labels, on windows that are made up."""

import numpy as np
import torch

from plantwatch.settings import Head
from tests.support.small_training import small_sample, small_settings
from training.heads import fit_head
from training.summary import Summary

WINDOWS = small_sample().fit
NORMAL = WINDOWS.rul > 50
LABELLED = (WINDOWS.rul < 30) & (WINDOWS.rul >= 10)


def raw_of(head: Head) -> np.ndarray:
    """Numbers of which the first moves at the end, the second before, among what is labelled."""
    x = np.random.default_rng(0).normal(size=(len(WINDOWS), 4))
    x[WINDOWS.rul < 10, 0] += 6
    x[LABELLED, 1] += 6
    summary = Summary(x, WINDOWS, NORMAL, centre=np.zeros(4), spread=np.ones(4))
    raw, _ = fit_head(head, summary, small_settings(), 0)(torch.from_numpy(x))
    return np.asarray(raw)


def overlap(raw: np.ndarray) -> float:
    """The share of normal windows that score more than the median one which fails, but not yet."""
    return float((raw[NORMAL] > np.median(raw[LABELLED])).mean())


# Labels beside the mixture show it what ends of life do not, and cost it nothing of what these do.
def test_labels_add_to_the_mixture_what_ends_do_not_show() -> None:
    told, labelled = raw_of("mixture"), raw_of("mixture_logistic")
    assert overlap(told) > 0.2
    assert overlap(labelled) < 0.01
    assert np.median(labelled[WINDOWS.rul < 10]) > np.quantile(labelled[NORMAL], 0.99)
