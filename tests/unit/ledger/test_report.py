"""What the judge says at the end."""

import json

from ledger.findings import Fault, Findings
from ledger.report import lines


# People read the numbers and one line for each kind of fault; programs read the last line.
def test_the_last_line_is_the_same_as_json() -> None:
    found = Findings(published=1_000_000, scored=900_000, stored=899_998, dead=3)
    found.add(Fault.LOST, "FD001-engine-001/31/2026-01-01T00:00:31.000000Z")
    found.add(Fault.LOST, "FD001-engine-002/31/2026-01-01T00:00:31.000000Z")
    *people, programs = lines(found)
    assert json.loads(programs) == {
        "published": 1_000_000,
        "scored": 900_000,
        "stored": 899_998,
        "lost": 2,
        "doubled": 0,
        "wrong": 0,
        "dead": 3,
        "faults": {"lost": 2},
    }
    (fault,) = [line for line in people if line.startswith("FAULT")]
    assert fault.startswith("FAULT 2 x ")
    assert "FD001-engine-001/31" in fault
    assert all(len(line) <= 100 for line in people if line != fault)


# Where there is nothing to say, it says so.
def test_no_faults_are_said_to_be_none() -> None:
    assert any(line.startswith("No faults") for line in lines(Findings()))
