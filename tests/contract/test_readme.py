"""The pages for people: numbers are those of committed results, what they name is there."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.app import app
from commands.readme import PAGES, README, render
from tests.support.pages import anchors, commands, files, links, named_links, tabled, words

WRITTEN = [Path(f"{name}.md") for name in ("README", "ARCHITECTURE", "CONTRIBUTING", "CHANGELOG")]
WRITTEN += sorted(Path("docs").glob("*.md"))
TEXTS = {page: page.read_text(encoding="utf-8") for page in WRITTEN}
TEXT = TEXTS[README]
MAKEFILE = Path("Makefile").read_text(encoding="utf-8")
PASSED_ON = re.findall(r"^COMMANDS := ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)[0].split()
"""Targets that are the `plantwatch` command of the same name, with ARGS."""
COMMANDS = sorted(
    {
        command
        for page, text in TEXTS.items()
        for command in (*(commands(text) if page != Path("ARCHITECTURE.md") else ()), *tabled(text))
    }
)
"""In ARCHITECTURE.md the indented block is the layers."""
OTHERS = {
    *("amtool", "bash", "cp", "curl", "docker", "export", "git", "grep", "mkdir", "mv", "openssl"),
    *("pg_dump", "pg_restore", "promtool", "psql", "pytest", "python", "source", "tail", "tar"),
}
"""Programs that are not ours."""
FOLDERS = [
    *(Path(), Path("docs"), Path("plantwatch"), Path("configs"), Path("faults"), Path("training")),
    *(Path("requirements"), Path("monitoring/generated")),
]
"""Where a file lies that a page names without its folder."""
ELSEWHERE = {
    "uv.lock": "is not committed, and that is what is said of it",
    "production.json": "lies beside the models that were fetched",
}


# `plantwatch readme` would change nothing: no number was typed by hand.
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_generated_blocks_are_in_step(page: Path) -> None:
    assert render(TEXTS[page]) == TEXTS[page]


# Every file or folder that is linked is there, and so is the heading.
@pytest.mark.parametrize("page", WRITTEN, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in links(TEXTS[page]):
        target = page.parent / path if path else page
        assert target.exists(), target
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), (path, anchor)


# Every link by name has its address at the end, and every address there a link.
def test_named_links_have_an_address() -> None:
    names, addresses = named_links(TEXT)
    assert names
    assert names == addresses


# A file that is named is there, from the project's folder or where the page speaks of.
@pytest.mark.parametrize("page", WRITTEN, ids=str)
def test_files_that_are_named_are_there(page: Path) -> None:
    named = files(TEXTS[page]) - ELSEWHERE.keys()
    assert [one for one in named if not any((folder / one).exists() for folder in FOLDERS)] == []


# Every `make` target that is named is one of the Makefile's.
@pytest.mark.parametrize("page", WRITTEN, ids=str)
def test_make_targets_exist(page: Path) -> None:
    named = set(re.findall(r"`make ([a-z]+(?:-[a-z0-9]+)*)", TEXTS[page]))
    assert [target for target in named if not re.search(rf"\b{target}\b.*:", MAKEFILE)] == []
    assert named or page != README


# Every command that a reader may copy is one: the program, its subcommands and its options. Which
# of them are run, and which are not and why: tests/e2e.
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command: str) -> None:
    program, *arguments = words(command)
    if program == "make":
        target = next(word for word in arguments if "=" not in word)
        assert re.search(rf"\b{target}\b.*:", MAKEFILE), target
        if target not in PASSED_ON:
            return
        given = [word.removeprefix("ARGS=") for word in arguments if word.startswith("ARGS=")]
        arguments = [target, *(word for text in given for word in shlex.split(text))]
    elif program != "plantwatch":
        assert program in OTHERS, f"{program}: one of ours, or of `OTHERS`?"
        return
    asked = CliRunner().invoke(app, [*arguments, "--help"])
    assert asked.exit_code == 0, asked.output
