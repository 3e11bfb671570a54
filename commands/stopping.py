"""How a process that runs until it is told to stop hears that it is."""

import signal
from threading import Event


def stop_signal() -> Event:
    """Set by SIGTERM or Ctrl-C, however often they come; what is in hand is finished first."""
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping
