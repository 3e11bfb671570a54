"""The HTTP API: windows judged at once, and what is stored, for other programs.

- `schemas`: what is asked of /detect and answered; `body`: how JSON becomes that
- `detect`: windows judged; `window`: a request's rows as those of the stream
- `production`: the model in use, and how it becomes another
- `stored`: /events and /incidents; `store`: the connection behind both
- `health`, `telemetry`: how it is, and what is counted
- `middleware`: what every request passes
- `app`: all of it put together; `serve`: it listens
"""
