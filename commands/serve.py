"""`plantwatch serve`: the HTTP API."""

import typer

from plantwatch.settings import Settings


def serve(context: typer.Context) -> None:
    """Serve the HTTP API until SIGTERM or Ctrl-C: windows judged at once, and what is stored.

    It judges with the production model as `plantwatch models follow` has it (part of `plantwatch
    up`), takes up another one when the alias moves, and answers 503 while there is none. Without
    API_KEY it listens on this machine only:

    \b
    plantwatch serve
    curl 127.0.0.1:8000/model
    API_HOST=0.0.0.0 API_KEY=... plantwatch serve

    Exit code 78: the address cannot be had, or would need a key.
    """
    # Here, not above: FastAPI and onnxruntime take a second, which no other command waits for.
    from api.serve import listener
    from api.serve import serve as listen

    settings = context.ensure_object(Settings)
    with listener(settings) as at:
        typer.echo(f"http://{settings.api.host}:{settings.api.port}")
        listen(settings, at)
