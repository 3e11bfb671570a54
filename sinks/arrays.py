"""Arrays as PostgreSQL reads them, for a batch is one array per column."""

from collections.abc import Iterable


def array(words: Iterable[str]) -> str:
    """An array of words that are `quoted`, or need it not: numbers, booleans, times; NULL is none.

    >>> array(["1", "NULL"])
    '{1,NULL}'
    """
    return "{" + ",".join(words) + "}"


def quoted(word: str) -> str:
    r"""Any text as a word of an array.

    >>> print(array(map(quoted, ["a", 'say "no"', "NULL", "back\\slash"])))
    {"a","say \"no\"","NULL","back\\slash"}
    """
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
