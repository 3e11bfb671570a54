"""SECURITY.md: the tests that it names are there, and its table of rights is what is granted."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connections.kafka_roles import ROLES, grants
from plantwatch.configuration import load

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


# Every threat names a test, and every test that is named is one.
def test_every_threat_has_its_test() -> None:
    rows = re.findall(r"^\| .* \|$", TEXT.partition("## Kafka")[0], re.MULTILINE)[1:]
    assert len(rows) >= 10
    assert [row[:40] for row in rows if "`tests/" not in row] == []


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_named_tests_are_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_bytes())
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert name in functions


def table() -> Iterator[str]:
    """What `connections.kafka_roles` grants, with the names of the settings as they are shipped."""
    yield "| user | reads | writes | groups |"
    yield "|---|---|---|---|"
    granted = list(grants(load(ROOT / "configs", {})))
    for role in ROLES:
        cells = [
            ", ".join(f"`{one.name}`" for one in granted if (one.role, one.may, one.on) == wanted)
            for wanted in (
                (role, "READ", "TOPIC"),
                (role, "WRITE", "TOPIC"),
                (role, "READ", "GROUP"),
            )
        ]
        yield f"| `{role}` | {' | '.join(cell or '-' for cell in cells)} |"


# The table of rights is the one that the broker is given.
def test_the_table_of_rights_is_in_step() -> None:
    _, _, rest = TEXT.partition("<!-- begin kafka roles -->\n")
    assert rest.partition("<!-- end kafka roles -->")[0].splitlines() == list(table())
