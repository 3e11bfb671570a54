"""What can go wrong, made to go wrong on real servers, and the ledger's judgement afterwards.

- `scenarios`: the table of faults; the one place to add another; `scenario`: what each row says
- `injections`: what is done to a plant, one module per victim
- `run`: one scenario: load, inject, heal, drain, judge
- `soak`: random faults under load for minutes, then one judgement
- `together`: all chosen scenarios, two at a time where they may
- `session`, `trained`: what all scenarios of a run share: servers, models, a fleet
- `plant`, `supervised`: the pipeline's processes, and what can be done to them
- `moments`: how far a plant is, to be waited for
- `readings`, `disorders`, `load`, `replaying`: what is published meanwhile, and how it is garbled
- `points`, `orders`, `armed`: where a process may be told to die, how, and the process that does
- `incidents`: those of a plant, held against the rule
- `sabotage`: three pipelines that lose readings, which the ledger must notice
- `proxy`: a TCP proxy that cuts the line at the worst moment
- `report`: the results as a table and as JSON
"""
