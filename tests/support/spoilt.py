"""Mistakes in configs/*.yaml and in the environment: tests/data/bad says them, this makes them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from plantwatch.configuration import FILES
from tests.support.servers import CONFIGS

BAD: Final = Path(__file__).parents[1] / "data" / "bad"
PLANTWATCH: Final = Path(sys.executable).with_name("plantwatch")
"""The command as it is installed."""


class Mistake(NamedTuple):
    """One mistake in a file or in the environment, and the words that its refusal must have."""

    where: str
    name: str
    spec: dict[str, Any]

    @property
    def says(self) -> list[str]:
        return [str(words) for words in self.spec["says"]]


def in_files() -> list[Mistake]:
    """All mistakes of settings.yaml."""
    return _mistakes("settings.yaml")


def in_environment() -> list[Mistake]:
    """All mistakes of environment.yaml."""
    return _mistakes("environment.yaml")


def configs_with(mistake: Mistake, folder: Path) -> Path:
    """A copy of configs/ in `folder`, with the mistake if it is one in a file."""
    for name in FILES:
        (folder / name).write_bytes((CONFIGS / name).read_bytes())
    if mistake.where in FILES:
        spoil(folder / mistake.where, mistake.spec)
    return folder


def spoil(path: Path, spec: dict[str, Any]) -> None:
    """Drop and set keys of one file."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key in spec.get("drop", ()):
        section, _, field = key.partition(".")
        del (document[section] if field else document)[field or section]
    for key, value in spec.get("set", {}).items():
        section, _, field = key.partition(".")
        (document[section] if field else document)[field or section] = value
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def start_worker(mistake: Mistake, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run `plantwatch worker` in an empty folder with the mistake, until it ends."""
    return subprocess.run(
        [PLANTWATCH, "--config", configs_with(mistake, folder), "worker"],
        cwd=folder,
        env=os.environ | mistake.spec.get("environment", {}),
        capture_output=True,
        text=True,
        check=False,
    )


def _mistakes(file: str) -> list[Mistake]:
    document = yaml.safe_load((BAD / file).read_text(encoding="utf-8"))
    return [
        Mistake(where, name, spec)
        for where, named in document.items()
        for name, spec in named.items()
    ]
