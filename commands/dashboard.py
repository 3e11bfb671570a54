"""`plantwatch dashboard`: the live page."""

import typer

from local_stack.process import Port, check_free
from plantwatch.settings import Settings


def dashboard(context: typer.Context) -> None:
    """Serve the live page until Ctrl-C: the fleet, each machine, open incidents to acknowledge.

    It reads PostgreSQL, listens on this machine only, and is part of the local stack: `plantwatch
    up` and `plantwatch demo --keep` print its address. By itself:

    \b
    plantwatch dashboard
    STREAMLIT_PORT=8502 STREAMLIT_REFRESH_INTERVAL_SEC=1 plantwatch dashboard
    """
    from dashboard.serve import serve  # the stream's environment has no Streamlit

    settings = context.ensure_object(Settings)
    check_free((Port(settings.streamlit.port, "STREAMLIT_PORT"),))
    typer.echo(f"http://{settings.streamlit.host}:{settings.streamlit.port}")
    serve(settings)
