"""What an error of PostgreSQL asks of us: write again, refuse the row, or stop for a person.

The five characters are documented in PostgreSQL's appendix "Error Codes"; the first two are the
class.
"""

import re
from enum import Enum
from typing import Final

import psycopg


class Action(Enum):
    """What the sink does about an error."""

    RETRY = "retry"
    REFUSE = "refuse"
    STOP = "stop"


LOST: Final = "lost"
"""Stands for the SQLSTATE of an error that has none: the connection broke or never was."""

_RETRY: Final = (
    "08",  # connection exception
    "40",  # serialization failure, deadlock
    "53",  # out of disk, memory or connections
    "55P03",  # lock not available
    "57",  # cancelled (our own statement_timeout), shut down, starting up
    "58",  # input or output failed below the server
    "25006",  # read-only: a standby, or full of care
)
_REFUSE: Final = (
    "22",  # a value does not fit its column
    "23",  # a constraint says no
)

_REMEDIES: Final = {
    "42501": "grant it",
    "42703": "run `plantwatch migrate`",
    "42P01": "run `plantwatch migrate`",
    "42P10": "run `plantwatch migrate`",
}

# libpq reports a refused connection without its SQLSTATE, so its words have to do (28, 3D, 42501).
# In another language, or worded anew, it counts as lost: retried and shown, never dropped.
_REFUSED_LOGIN: Final = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry"
    r"|(role|database) \".*\" does not exist|is not permitted to log in|permission denied for"
)


def action(error: psycopg.Error) -> Action:
    """Decide by SQLSTATE; what is in no list stops, for a person to read."""
    if error.sqlstate is None:
        return _without_sqlstate(error)
    if error.sqlstate.startswith(_REFUSE):
        return Action.REFUSE
    return Action.RETRY if error.sqlstate.startswith(_RETRY) else Action.STOP


def _without_sqlstate(error: psycopg.Error) -> Action:
    """An error from this side of the wire: no connection, or a value that cannot be sent."""
    if isinstance(error, psycopg.DataError):
        return Action.REFUSE
    away = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return Action.RETRY if away and not _REFUSED_LOGIN.search(str(error)) else Action.STOP


def remedy(error: psycopg.Error, variables: str) -> str:
    """What a person does about an error that stops us; `variables` are those of the login."""
    if error.sqlstate is None or error.sqlstate.startswith(("28", "3D")):
        return f"check {variables} and POSTGRES_DB"
    return _REMEDIES.get(error.sqlstate, "look it up in the server's log")


def label(error: psycopg.Error) -> str:
    """The class of an error as a bounded label: two characters, or "lost"."""
    return error.sqlstate[:2] if error.sqlstate else LOST


def in_one_line(error: Exception) -> str:
    """What the server said, without the lines of context that follow."""
    return str(error).partition("\n")[0]
