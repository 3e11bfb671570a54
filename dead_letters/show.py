"""One dead letter as text for a terminal. Nothing a stranger sent reaches it unescaped."""

import json
from collections.abc import Iterator
from typing import Final

import orjson

from dead_letters.letters import Filed
from plantwatch.instants import to_iso, to_microseconds

_HEX_WIDTH: Final = 32
"""Bytes in one line of hexadecimal: 95 characters."""


def lines(one: Filed) -> Iterator[str]:
    """Reason, detail and origin of a letter, then the bytes of its message."""
    letter, (key, value) = one.letter, one.original
    yield f"id         {plain(letter.id)}"
    yield f"reason     {plain(letter.reason)}"
    yield f"detail     {plain(letter.detail)}"
    yield f"from       {plain(letter.origin)}, partition {letter.partition}, offset {letter.offset}"
    yield f"refused    {to_iso(to_microseconds(one.at))}"
    yield f"machine    {plain(letter.sensor_id or '')}"
    yield f"key        {'none' if key is None else plain(key.decode(errors='backslashreplace'))}"
    yield f"length     {letter.length} bytes, sha256 {plain(letter.sha256)}"
    if letter.truncated:
        yield f"truncated  only the first {len(value or b'')} bytes are kept here"
    yield ""
    yield "a tombstone: no value" if value is None else body(value)


def body(value: bytes) -> str:
    """Indented JSON where it is JSON, lines of hexadecimal otherwise.

    >>> print(body(b'[1]'), body(bytes([255, 0])), sep="; ")
    [
      1
    ]; ff 00
    """
    try:
        return json.dumps(orjson.loads(value), indent=2)  # all but ASCII is escaped
    except (ValueError, RecursionError):  # what orjson takes may be too deep for json
        rows = range(0, len(value), _HEX_WIDTH)
        return "\n".join(value[at : at + _HEX_WIDTH].hex(" ") for at in rows)


def plain(text: str) -> str:
    r"""On one line and printable; what else there is in `text` is escaped.

    >>> print(plain("a\nb\x1b[2J"))
    a b\x1b[2J
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in " ".join(text.split())
    )
