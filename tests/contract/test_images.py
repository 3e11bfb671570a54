"""What goes into the images: hadolint's rules, a lock for each, and nothing that is not needed.

No image was built: see docs/containers.md. `make images` installs and runs what is in them.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support import compose

DOCKERFILES = ("docker/Dockerfile", "docker/Dockerfile.streamlit")
LOCKS = {compose.lock(one) for one in compose.services().values() if "build" in one}


def text(name: str) -> str:
    return (compose.ROOT / name).read_text(encoding="utf-8")


def hadolint(file: Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("hadolint")
    return subprocess.run([program, file], capture_output=True, text=True, check=False)


# hadolint has nothing to say about them, though it would about others.
@pytest.mark.parametrize("name", DOCKERFILES)
def test_dockerfiles_pass_hadolint(name: str, tmp_path: Path) -> None:
    done = hadolint(compose.ROOT / name)
    assert (done.returncode, done.stdout) == (0, "")
    careless = tmp_path / "Dockerfile"
    careless.write_text("FROM python:latest\nRUN pip install numpy\n")
    assert hadolint(careless).returncode != 0


# Nobody is root in them, packages are those of a lock with hashes, and the base has a version.
@pytest.mark.parametrize("name", DOCKERFILES)
def test_dockerfiles_are_careful(name: str) -> None:
    content = text(name)
    last = content[content.rindex("\nFROM ") :]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert not re.search(r"^RUN .*\b(apt|pip|curl)", last, re.MULTILINE)
    assert "--require-hashes" in content
    bases = re.findall(r"^FROM (\S+)", content, re.MULTILINE)
    assert len(bases) == 2
    [base] = set(bases)
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base)


# Each image has a lock, and each lock is some image's.
def test_each_image_has_a_lock() -> None:
    found = {path.stem for path in (compose.ROOT / "requirements").glob("*.lock")}
    assert found - {"all"} == LOCKS


# No two images, nor what is tested here, have another version of the same package.
@pytest.mark.parametrize("lock", sorted(LOCKS))
def test_images_have_the_tested_versions(lock: str) -> None:
    everything = set(pins("all"))
    assert set(pins(lock)) <= everything


def pins(lock: str) -> list[str]:
    return re.findall(
        r"^[\w.-]+(?:\[[\w,]+\])?==\S+", text(f"requirements/{lock}.lock"), re.MULTILINE
    )


# Only who trains has torch; only who watches drift, or trains, has scipy.
def test_who_has_what_is_heavy() -> None:
    having = {
        package: {
            lock for lock in LOCKS if any(one.startswith(f"{package}==") for one in pins(lock))
        }
        for package in ("torch", "mlflow", "scipy", "streamlit", "river")
    }
    assert having == {
        "torch": {"training"},
        "mlflow": {"training"},
        "scipy": {"training", "drift"},
        "streamlit": {"dashboard"},
        "river": {"drift"},
    }


# The sources of every package go into the images, and neither tests nor data, secrets or history.
def test_the_context_has_the_sources_alone() -> None:
    linter: dict[str, Any] = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]
    lines = [line for line in text(".dockerignore").splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    named = {line[1:] for line in lines if line.startswith("!")}
    assert named == {*linter["root_packages"], "configs", "docker", "requirements"}
    assert "data/raw" in lines


def docker_compose() -> list[str]:
    """Docker's plugin, or the program by itself; empty where there is neither."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]):
            done = subprocess.run([*words, "version", "--short"], capture_output=True, check=False)
            if done.returncode == 0:
                return words
    return []


# Where there is a Docker Compose, it is asked, too; without a password it names the one that is
# missing, and says what to do.
def test_docker_compose_takes_it() -> None:
    words = docker_compose()
    if not words:
        pytest.skip("no Docker Compose here; get it with `make compose-check`")
    environ = {
        name: "x" for name, sign, _ in compose.variables(text("compose.yaml")) if sign == "?"
    }

    def config(**given: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*words, "--env-file", "/dev/null", "--profile", "replay", "config", "--quiet"],
            cwd=compose.ROOT,
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **given},
            capture_output=True,
            text=True,
            check=False,
        )

    done = config(**environ)
    assert (done.returncode, done.stderr) == (0, "")
    refused = config(**(environ | {"API_KEY": ""}))
    assert refused.returncode != 0
    assert "API_KEY" in refused.stderr
    assert "make docker-env" in refused.stderr
