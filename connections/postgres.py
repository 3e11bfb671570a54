"""The one way to PostgreSQL, and what its errors mean for the caller.

Everybody comes in a role, which may do its own work and no other's; nobody falls back on another.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, get_args

import psycopg
from pydantic import SecretStr

from connections.sqlstate import Action, action, in_one_line, label, remedy
from plantwatch.errors import ConfigError, PlantwatchError, StoreAwayError
from plantwatch.settings import Postgres, Settings

Role = Literal["owner", "writer", "operator", "reader"]
"""The owner makes the tables; sinks write; people act as the operator; the reader only looks."""
ROLES: Final[tuple[Role, ...]] = get_args(Role)


def connect(
    settings: Settings, role: Role, options: str = "", **parameters: Any
) -> psycopg.Connection:
    """Open a connection in a role; waits `sink.deadline_sec` at most.

    In UTC, for the years 1 and 9999 are others elsewhere, which Python cannot read. `options` are
    more of the session's settings, as `-c name=value`.

    Raises:
        ConfigError: the role has no password.
        psycopg.OperationalError: the server is away or says no; `explain` tells which.
    """
    postgres = settings.postgres
    user, password = login(postgres, role)
    if password is None:
        raise ConfigError(
            f"no password for PostgreSQL's user {user!r}, the {role}: set "
            f"{variable(role, 'password')}, in the environment or in .env"
        )
    return psycopg.connect(
        host=postgres.host,
        port=postgres.port,
        dbname=postgres.db,
        user=user,
        password=password.get_secret_value(),
        connect_timeout=int(settings.sink.deadline_sec),
        application_name="plantwatch",
        options=f"-c timezone=UTC {options}",
        **parameters,
    )


@contextmanager
def session(settings: Settings, role: Role) -> Iterator[psycopg.Connection]:
    """A connection in a role for the length of the block, in autocommit mode.

    Raises:
        UnavailableError: PostgreSQL is not there, or goes away within the block.
        ConfigError: it refuses us: password, database, grant or table is wrong; a person must mend
            it.
    """
    try:
        with connect(settings, role, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        raise explain(error, settings, role) from error


def login(postgres: Postgres, role: Role) -> tuple[str, SecretStr | None]:
    """Name and password of a role."""
    return getattr(postgres, field(role, "user")), getattr(postgres, field(role, "password"))


def field(role: Role, of: Literal["user", "password"]) -> str:
    """The field of section `postgres` that has a role's name or password."""
    return of if role == "owner" else f"{role}_{of}"


def variable(role: Role, of: Literal["user", "password"]) -> str:
    """The environment's variable for it."""
    return f"postgres_{field(role, of)}".upper()


def explain(error: psycopg.Error, settings: Settings, role: Role) -> PlantwatchError:
    """Turn an error of PostgreSQL into what the caller must do, in one line."""
    postgres = settings.postgres
    server = f"PostgreSQL at {postgres.host}:{postgres.port}"
    detail = f"{in_one_line(error)} (SQLSTATE {error.sqlstate or 'not told'})"
    if action(error) is Action.RETRY:
        return StoreAwayError(
            label(error), f"{server} is away: {detail}; start it, or set POSTGRES_HOST and _PORT"
        )
    user, _ = login(postgres, role)
    variables = f"{variable(role, 'user')}, {variable(role, 'password')}"
    return ConfigError(
        f"{server} refuses user {user!r}, database {postgres.db!r}: {detail}; "
        f"{remedy(error, variables)} and start again, nothing is lost meanwhile"
    )
