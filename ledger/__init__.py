"""The independent judge: says of every reading whether what became of it is right.

- `rule`: the window rule's definition, sharing no code with the stream
- `parse`: which messages are valid readings, found in its own way
- `evidence`: what the judge is shown, as plain facts
- `findings`: the numbers, and the faults by name
- `filing`: what came of the readings, by what it belongs to
- `rescoring`: verdicts computed again from their windows
- `balance`: the worker's counts held against the judge's
- `judge`: one partition after another, held against all that; pure
- `sources`: topics, commits and table, read into evidence
- `run`: the judge at work on them
- `report`: the findings for people, and as JSON
"""
