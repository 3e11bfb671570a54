"""Bring the tables up to date: alembic with plain SQL, in `sinks/migrations`."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from connections.postgres import ROLES, connect, explain, login
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings

_SCRIPTS: Final = Path(__file__).parent / "migrations"


def upgrade(settings: Settings) -> None:
    """Apply every migration that is missing; does nothing when there is none.

    Blocks for as long as the changes take. All of them are one transaction: done, or not begun.

    Raises:
        UnavailableError: PostgreSQL is not there now; the caller tries again later.
        ConfigError: password, database, grant or role is wrong, or the tables are newer than this
            version; a person must mend it first.
    """
    move(settings, command.upgrade, "head")


def move(settings: Settings, act: Callable[[Config, str], None], revision: str) -> None:
    """Go to a revision by alembic's `command.upgrade` or `command.downgrade`; fails as above."""
    engine = sa.create_engine(
        "postgresql+psycopg://", creator=lambda: connect(settings, "owner"), poolclass=sa.NullPool
    )
    config = Config()
    # ConfigParser would take a per cent sign in the path for the start of a placeholder.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["roles"] = {
        role: login(settings.postgres, role)[0] for role in ROLES if role != "owner"
    }
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            act(config, revision)
    except CommandError as error:  # "Can't locate revision identified by '0008'"
        raise ConfigError(
            f"the tables are of a newer version of plantwatch ({error}); start that version, or "
            "restore the backup of before its migration"
        ) from error
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise explain(error.orig, settings, "owner") from error
        raise
    except psycopg.Error as error:
        raise explain(error, settings, "owner") from error
