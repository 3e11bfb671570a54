"""README.md: its numbers are those of the committed results, its links and targets exist."""

import re
from pathlib import Path

from commands.readme import README, render

TEXT = README.read_text(encoding="utf-8")


# `plantwatch readme` would change nothing: no number was typed by hand.
def test_generated_blocks_are_in_step() -> None:
    assert render(TEXT) == TEXT


# Every file or folder that is linked is there.
def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", TEXT)
    assert targets
    assert [target for target in targets if not Path(target).exists()] == []


# Every `make` target that is named is one of the Makefile's.
def test_make_targets_exist() -> None:
    named = set(re.findall(r"\bmake ([a-z]+(?:-[a-z0-9]+)*)", TEXT))
    makefile = Path("Makefile").read_text(encoding="utf-8")
    assert named
    assert [target for target in named if not re.search(rf"\b{target}\b.*:", makefile)] == []
