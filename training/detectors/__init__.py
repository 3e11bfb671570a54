"""The types of model that there are: one module each, found because it is here.

A module `NAME` has `fit(sample, settings, seed) -> Fitted`, from which `plantwatch train --model
NAME`, `plantwatch evaluate` and the tests of all detectors take it; docs/bring-your-own-detector.md
shows one. Its settings are a section of their own, or configs/detectors/NAME.yaml.
"""

import pkgutil

from plantwatch.errors import ConfigError


def names() -> tuple[str, ...]:
    """All of them, in alphabetical order; none is imported."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def check(name: str) -> None:
    """Refuse a name that is none of them.

    Raises:
        ConfigError: it is not.
    """
    if name not in names():
        raise ConfigError(f"no detector {name!r}; choose one of {', '.join(names())}")
