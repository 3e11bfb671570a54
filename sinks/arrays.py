"""Arrays as PostgreSQL reads them, for a batch is one array per column."""

from collections.abc import Iterable


def array(words: Iterable[str]) -> str:
    """An array of words that hold neither comma, brace, quote, backslash nor blank, nor are NULL.

    >>> array(["1", "2"])
    '{1,2}'
    """
    return "{" + ",".join(words) + "}"
