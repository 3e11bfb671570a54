"""Bring the tables up to date: alembic with plain SQL, in `sinks/migrations`."""

from pathlib import Path
from typing import Final

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from connections.postgres import connect, explain
from plantwatch.settings import Settings

_SCRIPTS: Final = Path(__file__).parent / "migrations"


def upgrade(settings: Settings) -> None:
    """Apply every migration that is missing; does nothing when there is none.

    Blocks for as long as the changes take. All of them are one transaction: done, or not begun.

    Raises:
        UnavailableError: PostgreSQL is not there now; the caller tries again later.
        ConfigError: password, database or grant is wrong; a person must mend it first.
    """
    engine = sa.create_engine(
        "postgresql+psycopg://", creator=lambda: connect(settings), poolclass=sa.NullPool
    )
    config = Config()
    # ConfigParser would take a per cent sign in the path for the start of a placeholder.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise explain(error.orig, settings) from error
        raise
