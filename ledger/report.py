"""The findings for people, in at most 100 columns, and for programs, as one JSON object."""

from collections.abc import Iterator
from typing import Final

import orjson

from ledger.findings import Findings

_MEANING: Final = {
    "published": "messages on the topic of readings",
    "scored": "distinct readings with a verdict",
    "stored": "rows of the table",
    "lost": "acknowledged or due, and not there",
    "doubled": "second rows of one reading",
    "wrong": "rows that are not what their model says of their window",
    "dead": "messages with a dead letter",
}


def lines(findings: Findings) -> Iterator[str]:
    """The numbers, then each fault with its number and an example; the last line is the JSON."""
    for name, meaning in _MEANING.items():
        yield f"{name:<9} {getattr(findings, name):>12,}   {meaning}"
    yield ""
    if not findings.faults:
        yield "No faults: every reading is accounted for, once, and rightly."
    for fault, (number, example) in findings.faults.items():
        yield f"FAULT {number:,} x {fault}: {example}"
    yield orjson.dumps(findings.document()).decode()
