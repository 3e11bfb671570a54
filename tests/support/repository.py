"""The files under version control, for tests that judge the repository as a whole."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_PACKAGES = {"tests", "notebooks", "docker", "examples"}


def tracked() -> list[Path]:
    """The files under version control that are still there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files")
    names = listed.stdout.decode().split("\0")[:-1]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def tracked_python() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def packages() -> set[str]:
    """Top-level folders that hold our Python code."""
    tops = {path.relative_to(ROOT).parts[0] for path in tracked_python() if path.parent != ROOT}
    return tops - NOT_PACKAGES
