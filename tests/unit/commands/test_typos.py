"""A mistake in the configuration, met by the installed command when it should start something."""

from pathlib import Path

import pytest

from tests.support.spoilt import Mistake, in_environment, in_files, start_worker

MISTAKES = in_files() + in_environment()


# Each ends the worker before it starts: exit 78, and one line that names the key and the way out.
# (How long it takes: `make fuzz`.)
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.where}: {one.name}")
def test_a_mistake_ends_the_worker_in_one_line(tmp_path: Path, mistake: Mistake) -> None:
    ended = start_worker(mistake, tmp_path)
    assert ended.returncode == 78, ended.stderr
    assert ended.stdout == ""
    assert ended.stderr.startswith("plantwatch: ")
    assert ended.stderr.count("\n") == 1
    assert all(words in ended.stderr for words in mistake.says), ended.stderr
