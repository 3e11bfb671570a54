"""What runs elsewhere, on GitHub or before a commit: pinned, valid, and of what there is."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.support import compose
from tests.support.schemas import faults, read

ROOT = compose.ROOT
WORKFLOW = ROOT / ".github/workflows/ci.yml"
HOOKS = ROOT / ".pre-commit-config.yaml"
COMMIT = re.compile(r"[0-9a-f]{40}")


def workflow() -> dict[str, Any]:
    return read(WORKFLOW)


def jobs() -> dict[str, Any]:
    found: dict[str, Any] = workflow()["jobs"]
    return found


def steps() -> list[dict[str, Any]]:
    return [step for job in jobs().values() for step in job["steps"]]


# GitHub's schema takes the workflow.
def test_the_workflow_is_valid() -> None:
    assert faults(workflow(), "github-workflows") == []
    assert faults(workflow() | {"jobs": {"lint": {"runs": "on"}}}, "github-workflows") != []


# First lint, then test, then build: nothing is built of what fails.
def test_the_order() -> None:
    assert list(jobs()) == ["lint", "test", "build"]
    assert [job.get("needs") for job in jobs().values()] == [None, "lint", "test"]


# Nobody can change what an action does, not even whoever owns it, nor what a commented one would.
def test_actions_are_pinned_by_commit() -> None:
    used = re.findall(r"uses: (\S+)@(\S+) # v\d+\.\d+\.\d+$", WORKFLOW.read_text(), re.MULTILINE)
    assert len(used) == WORKFLOW.read_text().count("uses:")
    assert all(COMMIT.fullmatch(commit) for _, commit in used)


# Nothing is published, and the token may read only.
def test_nothing_is_pushed() -> None:
    assert workflow()["permissions"] == {"contents": "read"}
    assert [step["with"]["push"] for step in steps() if "push" in step.get("with", {})] == [False]
    assert not any("login" in step.get("uses", "") for step in steps())


# What a step runs is there: a target of the Makefile, or a script.
def test_steps_run_what_there_is() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    runs = [step["run"] for step in steps() if "run" in step]
    made = {word for run in runs for word in re.findall(r"make ([\w-]+)", run)}
    assert made
    assert made <= targets
    assert ".ci/run" in runs
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


# Known holes in what is locked stop the lint job.
def test_vulnerabilities_are_looked_for() -> None:
    assert {"run": "make audit"} in jobs()["lint"]["steps"]
    done = subprocess.run(
        ["make", "--dry-run", "--old-file", ".venv/stamp", "audit"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"pip-audit==[\d.]+ --strict ", done.stdout)
    assert "--requirement requirements/all.lock" in done.stdout


# All images of compose.yaml are built, of the same files.
def test_every_image_is_built() -> None:
    built = {
        (one["image"], one["file"], one["set"])
        for one in jobs()["build"]["strategy"]["matrix"]["include"]
    }
    assert built == {
        (one["image"].partition(":")[0], one["build"]["dockerfile"], compose.lock(one))
        for one in compose.services().values()
        if "build" in one
    }


# Hooks of others are pinned by commit; ours are programs that are installed here.
def test_hooks_are_pinned_or_ours() -> None:
    repositories = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))["repos"]
    ours = [one for one in repositories if one["repo"] == "local"]
    assert all(COMMIT.fullmatch(one["rev"]) for one in repositories if one not in ours)
    programs = [hook["entry"].split()[0] for one in ours for hook in one["hooks"]]
    missing = [
        one for one in programs if not Path(sys.executable).with_name(Path(one).name).exists()
    ]
    assert {Path(one).parent for one in programs} == {Path(".venv/bin")}
    assert missing == []
