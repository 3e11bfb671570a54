"""The live page: which machines are failing, why, and who is at it. It reads PostgreSQL.

Kafka and the HTTP API are asked beside it, on threads of their own: drawing waits for neither, or a
click would meet a page that stands still.

- `queries`: what it asks, SQL once
- `source`: the last answers, and since when there are none
- `accounts`: what became of every reading; `service`: by which model the HTTP API judges
- `fleet`: what a machine's rows make of it: alarm, watch, silent, ...
- `expected`: where a sensor of a healthy machine would be
- `reasons`: what each sensor adds to the score, window by window
- `tiles`, `charts`: the fleet and these, drawn
- `words`: what is said where there is nothing to show
- `fleet_view`, `machine_view`, `frame` around both, `parts` of both: the page itself
- `app`: the script that Streamlit runs
- `serve`: Streamlit started, on this machine only, telling nobody
"""
