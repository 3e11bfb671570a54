"""docker/roles.sql, said to a real PostgreSQL by a real psql."""

import re
import subprocess
from pathlib import Path
from shutil import which

import psycopg
import pytest
from pydantic import SecretStr

from connections.postgres import ROLES, connect, field, login, variable
from plantwatch.settings import Postgres, Settings
from sinks.migrate import upgrade
from tests.support import compose
from tests.support.servers import PostgresServer

pytestmark = pytest.mark.real
PSQL = which("psql") or "/usr/lib/postgresql/15/bin/psql"
OWN = {"db": "made anew", "user": "the owner", "writer_user": 'w"riter'}
OWN |= {"operator_user": "o'perator", "reader_user": "reader"}


def version() -> int:
    if not Path(PSQL).exists():
        return 0
    said = subprocess.run([PSQL, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.findall(r"\d+", said)[0])


needs_psql = pytest.mark.skipif(
    version() < 15,  # which knows \getenv
    reason="no psql 15 or later; get it with `apt install postgresql-client`",
)


def say(server: PostgresServer, wanted: Postgres) -> "subprocess.CompletedProcess[str]":
    """What the service `roles` does, with these names and passwords."""
    environ = {variable(role, "user"): login(wanted, role)[0] for role in ROLES} | {
        variable(role, "password"): password.get_secret_value()
        for role in ROLES
        if (password := login(wanted, role)[1])
    }
    service = compose.services()["roles"]
    told = set(compose.environment(service)) - {"PGHOST", "PGUSER", "PGPASSWORD"}
    assert set(environ) | {"POSTGRES_DB"} == told
    with server.admin() as admin:
        superuser = {"PGPASSWORD": admin.info.password, "PGPORT": str(server.settings.port)}
    file = str(compose.ROOT / "docker/roles.sql")
    return subprocess.run(
        [PSQL, *(f"--file={file}" if "--file" in one else one for one in service["command"][1:])],
        env=environ | superuser | {"PGHOST": "127.0.0.1", "PGUSER": "postgres"} | database(wanted),
        capture_output=True,
        text=True,
        check=False,
    )


def database(wanted: Postgres) -> dict[str, str]:
    return {"POSTGRES_DB": wanted.db} if wanted.db else {}


# From an empty server to one that `plantwatch migrate` finds all it needs in, whatever the names;
# said again it changes nothing but the passwords, which are then the new ones.
@needs_psql
def test_it_makes_what_migrate_needs(settings: Settings, postgres: PostgresServer) -> None:
    own = {field(role, "password"): SecretStr(f'{role}\'s "own"') for role in ROLES}
    wanted = settings.postgres.model_copy(update=OWN | own)
    with postgres.admin() as admin:
        for said in ("first", "again"):
            done = say(postgres, wanted)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), said
        mine = settings.model_copy(update={"postgres": wanted})
        upgrade(mine)
        fresh = wanted.model_copy(update={"reader_password": SecretStr("new")})
        assert say(postgres, fresh).returncode == 0
        for role in ROLES[:-1]:
            connect(mine, role).close()
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(mine, "reader")
        connect(mine.model_copy(update={"postgres": fresh}), "reader").close()
        admin.execute('DROP DATABASE "made anew" WITH (FORCE)')


# A variable that is missing is no role with an empty name or password: it fails, and says so.
@needs_psql
def test_a_missing_variable_is_refused(settings: Settings, postgres: PostgresServer) -> None:
    done = say(postgres, settings.postgres.model_copy(update={"db": ""}))
    assert done.returncode != 0
    assert "syntax error" in done.stderr
