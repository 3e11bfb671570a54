"""A Markdown page as its reader sees it: commands to copy, links to follow, files it names."""

import re
import shlex
import string
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"\s+# .*$")
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
_NAMED = re.compile(r"(?<!\])\[([^\]]+)\](?![(:])")
_ADDRESS = re.compile(r"^\[([^\]]+)\]: https://\S+$", re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(
    r"(?:[\w.-]+/)*[\w.-]+\.(?:py|yaml|yml|md|json|toml|csv|lock|ipynb)|(?:[\w-]+/)+"
)
_ASSIGNED = re.compile(r"[A-Z_]+=.*")


class Link(NamedTuple):
    """A link inside the project; `path` is empty for the page itself, `anchor` for its top."""

    path: str
    anchor: str


def commands(text: str) -> Iterator[str]:
    """Every line of the indented blocks outside fences, without its comment.

    A line that ends with a backslash goes on.
    """
    begun = ""
    for line in _FENCE.sub("", text).splitlines():
        if not line.startswith("    "):
            continue
        command = _COMMENT.sub("", line.strip())
        if command.endswith("\\"):
            begun += command.removesuffix("\\")
        elif not command.startswith("#"):
            yield begun + command
            begun = ""


def tabled(text: str) -> Iterator[str]:
    """The commands that the first column of a table names."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield from (c for c in _CODE.findall(line.split("|")[1]) if _is_command(c))


def words(command: str) -> list[str]:
    """A command as a shell splits it, without variables that are set for it."""
    split = shlex.split(command)
    while split and _ASSIGNED.fullmatch(split[0]):
        split.pop(0)
    return split


def links(text: str) -> Iterator[Link]:
    for path, anchor in _LINK.findall(_FENCE.sub("", text)):
        yield Link(path, anchor)


def named_links(text: str) -> tuple[set[str], set[str]]:
    """The names of links whose address stands elsewhere, and the names that have an address."""
    prose = _CODE.sub("", _FENCE.sub("", text))
    return set(_NAMED.findall(prose)), set(_ADDRESS.findall(prose))


def anchors(text: str) -> set[str]:
    """What GitHub calls the headings of a page: lower case, no punctuation, hyphens for spaces."""
    plain = str.maketrans("", "", string.punctuation.replace("-", "").replace("_", ""))
    titles = _HEADING.findall(_FENCE.sub("", text))
    return {title.lower().translate(plain).replace(" ", "-") for title in titles}


def files(text: str) -> set[str]:
    """Names of files and folders that stand in backticks, but for patterns and those of a user."""
    named = {code for code in _CODE.findall(_FENCE.sub("", text)) if _FILE.fullmatch(code)}
    return {name for name in named if not re.search(r"NAME|<|\*|^\.local/|^\.venv/", name)}


def _is_command(code: str) -> bool:
    return code.startswith(("make ", "plantwatch "))
