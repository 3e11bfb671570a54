"""The code stays of a size that fits one's head, and each exception from the linters says why."""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.support.repository import ROOT, packages, tracked_python

SHIPPED_FUNCTION = {"median": 10, "of ten, nine at most": 30}
SHIPPED_MODULE = {"median": 120}
ANY_MODULE = 400

# What silences a tool: the words that come after its codes are the reason.
SILENCED = re.compile(
    r"#\s*(?:noqa|nosec|type:\s*ignore)\b:?\s*(?:\[[\w, -]+\]|[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?"
)
WORDS = re.compile(r"[A-Za-z]{3,}")


def sources() -> Iterator[tuple[str, str]]:
    """Each Python file under version control: its name and its text."""
    for path in tracked_python():
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def shipped() -> Iterator[tuple[str, str]]:
    ours = packages()
    return ((name, text) for name, text in sources() if name.partition("/")[0] in ours)


def functions(name: str, text: str) -> Iterator[tuple[int, str]]:
    """The lines of each function, its docstring and methods within it included; where it is."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.end_lineno - node.lineno + 1, f"{name}:{node.lineno} {node.name}"


def longest(sizes: list[tuple[int, str]]) -> str:
    return "; the longest: " + ", ".join(f"{where} ({n})" for n, where in sorted(sizes)[:-11:-1])


# Functions are short: half of them of ten lines, nine of ten within a screen.
def test_functions_are_short() -> None:
    sizes = [one for name, text in shipped() for one in functions(name, text)]
    lines = [n for n, _ in sizes]
    measured = (statistics.median(lines), statistics.quantiles(lines, n=10)[-1])
    for (what, most), found in zip(SHIPPED_FUNCTION.items(), measured, strict=True):
        assert found <= most, f"{what}: {found:g} lines, more than {most}{longest(sizes)}"


# Modules are short, and one that does not fit one's head is cut in two; tests are no exception.
def test_modules_are_short() -> None:
    ours = [(len(text.splitlines()), name) for name, text in shipped()]
    median = statistics.median(n for n, _ in ours)
    most = SHIPPED_MODULE["median"]
    assert median <= most, f"median: {median:g} lines, more than {most}{longest(ours)}"
    lengths = {name: len(text.splitlines()) for name, text in sources()}
    assert {name: n for name, n in lengths.items() if n > ANY_MODULE} == {}


def unexplained(text: str) -> list[int]:
    """Lines that silence a tool and do not say why.

    The reason follows on the line; several such lines in a row may have it in a comment above them.
    """
    silenced: dict[int, bool] = {}
    if not SILENCED.search(text):  # most files; to cut one into tokens takes its time
        return []
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and SILENCED.search(token.string):
            *_, reason = SILENCED.split(token.string)
            silenced[token.start[0]] = bool(WORDS.search(reason))
    return [n for n, said in silenced.items() if not said and not _said_above(lines, silenced, n)]


def _said_above(lines: list[str], silenced: dict[int, bool], number: int) -> bool:
    above = number - 1
    while above > 0 and (above in silenced or not lines[above - 1].strip()):
        above -= 1
    return above > 0 and lines[above - 1].lstrip().startswith("#")


# Who reads a `noqa` or a `type: ignore` learns why the tool is wrong there.
def test_every_silenced_line_says_why() -> None:
    found = [f"{name}:{n}" for name, text in sources() for n in unexplained(text)]
    assert found == [], "\n".join(["say in words, beside it, why the tool is wrong:", *found])


def unexplained_settings(text: str) -> list[str]:
    """Lines of a pyproject that switch off a rule of ruff or mypy and do not say why."""
    found, within, table = [], False, ""
    for before, line in pairwise(["", *text.splitlines()]):
        if line.startswith("["):
            table = line
            if line == "[[tool.mypy.overrides]]" and not before.startswith("#"):
                found.append(line)
        within = within or (
            table.startswith("[tool.ruff.lint") and bool(re.match(r"ignore = |\".*\" = ", line))
        )
        if within and re.search(r"\"[A-Z]+\d*\"", line) and not re.search(r"#.*\w{3}", line):
            found.append(line.strip())
        within = within and "]" not in line.partition("#")[0]
    return found


# The same for what is switched off everywhere, or in a folder.
def test_every_rule_that_is_off_says_why() -> None:
    found = unexplained_settings((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert found == [], "\n".join(["say in words, beside it, why the rule is off:", *found])


# The guards see what they guard against.
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a = 1  # noqa: S608\n", [1]),
        ("a = 1  # noqa\n", [1]),
        ("a = 1  # nosec B608\n", [1]),
        ("a = 1  # type: ignore[arg-type]\n", [1]),
        ("a = 1  # noqa: S608 - ours\n", []),
        ("a = 1  # type: ignore[arg-type]  # a double\n", []),
        ("# Takes seconds.\nimport a  # noqa: E402, PLC0415\nimport b  # noqa: E402\n", []),
        ("# Of b.\nb = 1\na = 1  # noqa: S608\n", [3]),
        ('a = "# noqa: S608"\n', []),
    ],
)
def test_the_guard_of_lines_is_awake(text: str, lines: list[int]) -> None:
    assert unexplained(text) == lines


def test_the_guard_of_settings_is_awake() -> None:
    text = (
        '[tool.ruff.lint]\nselect = ["ALL"]\nignore = [\n    "D1",  # by judgement\n    "EM",\n]\n'
        '[tool.ruff.lint.per-file-ignores]\n"a.py" = ["T20"]  # prints\n"b.py" = ["T20"]\n'
        "[[tool.mypy.overrides]]\n# No types.\n[[tool.mypy.overrides]]\n"
    )
    assert unexplained_settings(text) == ['"EM",', '"b.py" = ["T20"]', "[[tool.mypy.overrides]]"]
