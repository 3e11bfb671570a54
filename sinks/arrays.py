"""Arrays as PostgreSQL reads them, for a batch is one array per column."""

from collections.abc import Iterable


def array(words: Iterable[str]) -> str:
    """An array of words that hold neither comma, brace, quote, backslash nor blank; NULL is none.

    >>> array(["1", "NULL"])
    '{1,NULL}'
    """
    return "{" + ",".join(words) + "}"
