"""The Makefile, as far as it can be tried without installing anything."""

import os
import subprocess
from pathlib import Path

import pytest

TARGETS = {
    *("install", "download-data", "train", "evaluate", "demo", "up", "down", "status", "replay"),
    *("worker", "sinks", "watch", "bench", "ledger", "dlq", "reproduce", "doctor", "test", "fuzz"),
    *("lint", "format", "lock", "explain", "bench-edges", "bench-page", "dashboard"),
    *("docker-env", "docker-build", "docker-up", "docker-down", "docker-logs", "images"),
    *("test-postgres15", "compose-check"),
    *("audit", "sbom"),
    *("serve", "bench-api"),
}


def make(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", *arguments],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_alone_explains_every_target() -> None:
    lines = make().stdout.splitlines()
    explained = {line.split()[1]: line.split(maxsplit=2)[2] for line in lines}
    assert set(explained) >= TARGETS
    assert all(explained.values())


# ARGS reach the command, as make itself says with --dry-run.
@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("replay", "ARGS=--speed 1"), "plantwatch replay --speed 1"),
        (("demo", "KEEP=1"), "plantwatch demo --keep"),
    ],
)
def test_arguments_are_passed_on(arguments: tuple[str, ...], command: str) -> None:
    lines = make(
        "--no-print-directory", "--dry-run", "--old-file", ".venv/stamp", *arguments
    ).stdout.splitlines()
    assert lines[-1].split("bin/")[-1].strip() == command


# A machine that has make and no Python: nothing is half-made.
def test_without_a_python_the_one_line_says_what_to_install(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "make", "test", "touch"):
        [found] = {Path(folder, tool) for folder in ("/usr/bin",) if Path(folder, tool).exists()}
        (tools / tool).symlink_to(found)
    (tmp_path / "requirements").mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements/all.lock"):
        (tmp_path / name).write_text(Path(name).read_text())
    done = make("--directory", str(tmp_path), "install", PATH=str(tools))
    assert done.returncode != 0
    assert "no Python >= 3.11 found; install one" in done.stderr
    assert not (tmp_path / ".venv").exists()
