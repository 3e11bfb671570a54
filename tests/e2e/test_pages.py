"""The pages that say how to bring one's own: their commands, run as they stand."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from data import cmapss
from local_stack.free import free_addresses
from plantwatch.configuration import load
from plantwatch.schemas import CHANNELS, json_schemas
from plantwatch.settings import Settings
from tests.support.own_data import PUMPS
from tests.support.pages import commands
from tests.support.servers import CONFIGS
from tests.support.small_training import SMALL, small_fleet
from tests.support.topics import Sent, publish, read

pytestmark = pytest.mark.real

ROOT = CONFIGS.parent
BIN = Path(sys.executable).parent
# A command that was tried in this process leaves its folder of settings.
NOT_INHERITED = ("PYTEST", "PLANTWATCH")
NOT_COPIED = shutil.ignore_patterns(".git", ".local", ".venv", "__pycache__", "raw", "results")


@contextmanager
def own_folder() -> Iterator[Path]:
    """Not pytest's: PostgreSQL's own user may not enter that."""
    with tempfile.TemporaryDirectory(prefix="plantwatch-") as name:
        yield Path(name)


def run(lines: list[str], folder: Path, environ: dict[str, str]) -> str:
    """Run lines as a reader's shell does, up to the first that fails; what they said."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(NOT_INHERITED)}
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env=inherited | environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# A fleet that is not C-MAPSS: two files, one description, then trained, replayed and watched. What
# is on its topics is what the schemas for this fleet say.
def test_bring_your_own_data() -> None:
    page = list(commands((ROOT / "docs/bring-your-own-data.md").read_text(encoding="utf-8")))
    assert page.count("plantwatch down") == 1
    end = page.index("plantwatch down")
    environ = SMALL | free_addresses()
    settings = load(CONFIGS, environ | {"TRAINING_DATASET": PUMPS})
    with own_folder() as folder:
        for name in ("configs", "examples"):
            (folder / name).symlink_to(ROOT / name)
        try:
            said = run(page[:end], folder, environ)
            publish(settings, [Sent(b"pump-test-01", b"{")])
            check_topics(settings)
        finally:
            run(["plantwatch down"], folder, environ)
        run(page[end + 1 :], folder, environ)
        assert (folder / ".local/schemas/asyncapi.yaml").exists()
    assert "direction_mixture_v5" in said
    assert "12 engines" in said
    anomalies = [line for line in said.splitlines() if "score 0." in line]
    assert len(anomalies) == 3
    assert all("  pump-test-" in line for line in anomalies)


def check_topics(settings: Settings) -> None:
    """Everything that is on the topics fits the schema of its topic."""
    schemas = json_schemas(settings)
    for channel in CHANNELS:
        schema = Draft202012Validator(schemas[channel.message.__name__])
        found = read(settings, getattr(settings.topics, channel.topic))
        for one in found:
            if channel.topic != "readings" or one.value != b"{":
                schema.validate(json.loads(one.value))
        assert found or channel.topic in {"shadow_scores", "dead_letters"}, channel.topic


# A detector of one's own: two files, and the tests of all detectors, the training and the registry
# have it. In a copy of the project, which it changes.
def test_bring_your_own_detector() -> None:
    page = list(commands((ROOT / "docs/bring-your-own-detector.md").read_text(encoding="utf-8")))
    assert page[-1] == "plantwatch down"
    with own_folder() as parent:
        copy = parent / "plantwatch"
        shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
        for part in ("train", "test"):
            cmapss.write(small_fleet(part), parent / "cmapss")
        # The project is installed where it is: its modules would come from there.
        environ = SMALL | free_addresses() | {"PYTHONPATH": str(copy)}
        environ |= {"CMAPSS_DIR": str(parent / "cmapss")}
        try:
            said = run(page, copy, environ)
        finally:
            run(["plantwatch down"], copy, environ)
    assert "mahalanobis_v1" in said
    assert "failed" not in said
