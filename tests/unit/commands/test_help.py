"""What `--help` says is enough to begin with, and what it shows can be typed."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from commands.app import app
from plantwatch.errors import PlantwatchError


def commands(command: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by what is typed after `plantwatch`."""
    below = getattr(command, "commands", {})
    if not below or getattr(command, "invoke_without_command", False):
        yield " ".join(path), command
    for name, one in below.items():
        yield from commands(one, *path, name)


ALL = dict(commands(get_command(app)))
EXAMPLES = [
    example
    for command in ALL.values()
    for example in re.findall(r"^[ \w=./:-]*\bplantwatch (.+)$", command.help or "", re.MULTILINE)
    if "`" not in example
]


# Whoever asks what an option is for is told.
@pytest.mark.parametrize("name", ALL)
def test_every_option_is_explained(name: str) -> None:
    options = [one for one in ALL[name].params if one.param_type_name == "option"]
    assert [one.name for one in options if not one.help] == []


# What takes options shows how it is typed.
@pytest.mark.parametrize("name", ALL)
def test_what_takes_options_has_an_example(name: str) -> None:
    if ALL[name].params and not name.startswith("config") and not ALL[name].hidden:
        assert f"plantwatch {name}" in (ALL[name].help or "")


# An example is a command that is understood, up to its options.
@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_can_be_typed(example: str) -> None:
    arguments = shlex.split(example.partition("|")[0].removesuffix("\\"), comments=True)
    asked = CliRunner().invoke(app, [*arguments, "--help"])
    assert asked.exit_code == 0, asked.output


# The exit codes at the foot are those that failures have.
def test_exit_codes_are_stated() -> None:
    stated = set(map(int, re.findall(r"\b\d+(?= )", str(app.info.epilog))))
    codes = {one.exit_code for one in _all_below(PlantwatchError)}
    assert codes <= stated


def _all_below(kind: type[PlantwatchError]) -> Iterator[type[PlantwatchError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _all_below(one)
