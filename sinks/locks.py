"""What one process does at a time: PostgreSQL's advisory locks, each a number of its own."""

from enum import IntEnum
from typing import Final

import psycopg

_TRY: Final = "SELECT pg_try_advisory_xact_lock(%s)"


class Lock(IntEnum):
    """Any numbers, as long as they are these everywhere, in old versions too."""

    MIGRATIONS = 7_052_685
    READINGS = 7_052_686
    OUTBOX = 7_052_687
    VERDICTS = 7_052_688


def alone(connection: psycopg.Connection, lock: Lock) -> bool:
    """Whether nobody else has it; ours then, until the transaction ends. Waits for nobody."""
    return connection.execute(_TRY, [lock]).fetchone() == (True,)
