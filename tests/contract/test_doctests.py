"""The examples in docstrings, of every package."""

import doctest
from importlib import import_module

import pytest

from tests.support.repository import ROOT, packages, tracked_python

PACKAGES = packages()
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in tracked_python()
    if path.relative_to(ROOT).parts[0] in PACKAGES and ">>> " in path.read_text(encoding="utf-8")
]


# Whoever reads a docstring can believe its example.
@pytest.mark.parametrize("name", MODULES)
def test_what_a_docstring_shows_is_so(name: str) -> None:
    shown = doctest.testmod(import_module(name))
    assert shown.attempted > 0
    assert shown.failed == 0
