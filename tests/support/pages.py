"""The commands of a Markdown page, as its reader would copy them."""

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"\s+# .*$")


def commands(text: str) -> Iterator[str]:
    """Every line of the indented blocks outside fences, without its comment.

    Lines that end with a backslash go on; a comment line under a command belongs to it.
    """
    begun = ""
    for line in _FENCE.sub("", text).splitlines():
        if not line.startswith("    "):
            continue
        command = _COMMENT.sub("", line.strip())
        if command.startswith("#"):
            continue
        if command.endswith("\\"):
            begun += command.removesuffix("\\")
            continue
        yield begun + command
        begun = ""
