"""Processes whose coverage is not asked for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def not_measured() -> Iterator[None]:
    """Processes started meanwhile run as they do for users, at their speed.

    For those that are not ours, and for whole pipelines, whose parts have tests of their own:
    coverage doubles the time in which torch and MLflow are imported.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in [one for one in os.environ if one.startswith("COVERAGE")]:
            patch.delenv(name)
        yield
