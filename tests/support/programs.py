"""Programs of Prometheus that only some machines have: what needs one is skipped without."""

import shutil
import subprocess
from pathlib import Path

import pytest

_PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "amtool": "prometheus-alertmanager",
}


def needs(*names: str) -> pytest.MarkDecorator:
    """Skip where one of them is missing, and say how to get it."""
    missing = [name for name in names if shutil.which(name) is None]
    packages = " ".join(sorted({_PACKAGES[name] for name in missing}))
    reason = f"{', '.join(missing)} not installed; get it with `apt install {packages}`"
    return pytest.mark.skipif(bool(missing), reason=reason)


def run(*arguments: str | Path) -> str:
    """What a program prints; fails with all of it if the program does."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
