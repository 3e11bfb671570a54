"""People's side of incidents: what is open, what somebody says of it, and maintenance.

Every function works on a connection, in whichever role its work needs; sinks, which open and close
incidents, know nothing of this package.

- `machines`: which machines there are
- `queries`: incidents listed and shown; `events`: the verdicts that there are
- `feedback`: acknowledged, closed by hand, called a false alarm
- `maintenance`: windows in which a machine raises nothing
- `precision`: how many of the judged alarms were right
"""
