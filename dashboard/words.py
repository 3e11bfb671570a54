"""What is said where there is nothing to show, for people who have other worries."""

from datetime import UTC, datetime
from typing import Final

from dashboard.source import Outage

LOADING: Final = "Asking PostgreSQL ..."
NO_MACHINES: Final = (
    "**Nothing is stored yet.** A machine appears here with its first reading, and is judged from "
    "its 30th on. Readings come from your producers, or from `make replay`; `make status` shows "
    "whether the sinks that store them are up."
)
NO_INCIDENTS: Final = "No open incidents: nobody needs you."
NO_VERDICTS: Final = (
    "No verdict on this machine yet: it is judged from its 30th reading in a row on."
)
NO_READINGS: Final = (
    "No readings of this machine are kept, so there is no chart of its sensors. "
    "`make status` shows whether `sink-readings` is up; `SINK_READINGS_HOURS=0` turns it off."
)
NO_MODEL: Final = (
    "The model of these verdicts is not on this machine, so there is no expected band, and nobody "
    "to ask for reasons: `plantwatch models fetch` brings the production model."
)
NO_REASONS: Final = "The readings under the newest verdicts are not kept (any more)."


def outage(found: Outage, read_at: float | None, now: float, every_sec: float) -> str:
    """Since when nothing can be read, how old what is shown is, and what happens next."""
    shown = (
        f"What you see is from {clock(read_at)} UTC, {ago(now - read_at)} ago."
        if read_at
        else "Nothing could be read yet, so there is nothing to show."
    )
    return (
        f"**PostgreSQL cannot be read since {clock(found.since)} UTC, for "
        f"{ago(now - found.since)}.** {shown} This page tries again every {every_sec:g} s and goes "
        f"on by itself.\n\n{found.why}"
    )


def ago(seconds: float) -> str:
    """A stretch of time for people.

    >>> ago(42), ago(180), ago(3 * 3600 + 60), ago(5 * 86400)
    ('42 s', '3 min', '3 h', '5 days')
    """
    for size, name in ((2 * 86400, "days"), (2 * 3600, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds / _SIZES[name]:.0f} {name}"
    return f"{max(0.0, seconds):.0f} s"


_SIZES: Final = {"days": 86400, "h": 3600, "min": 60}


def clock(at: float) -> str:
    """Hours, minutes and seconds in UTC, of seconds since 1970."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
