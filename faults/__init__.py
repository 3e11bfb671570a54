"""What can go wrong, made to go wrong on real servers, and the ledger's judgement afterwards.

- `scenarios`: the table of faults; the one place to add another
- `run`: one scenario: load, inject, heal, drain, judge
- `soak`: random faults under load for minutes, then one judgement
- `plant`: the servers and the pipeline's processes, and what can be done to them
- `load`, `readings`: what is published meanwhile, and the ways in which it can be disorderly
- `points`, `orders`, `armed`: where a process may be told to die, how, and the process that does
- `sabotage`: three pipelines that lose readings, which the ledger must notice
- `proxy`: a TCP proxy that cuts the line at the worst moment
- `report`: the results as a table and as JSON
"""
