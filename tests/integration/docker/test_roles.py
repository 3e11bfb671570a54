"""docker/roles.sql, said to a real PostgreSQL by a real psql."""

import subprocess

import psycopg
import pytest
from pydantic import SecretStr

from connections.postgres import ROLES, connect, field, login, variable
from plantwatch.settings import Postgres, Settings
from sinks.migrate import upgrade
from tests.support import compose
from tests.support.servers import PostgresServer, postgres_program

pytestmark = pytest.mark.real
OWN = {"db": "made anew", "user": "the owner", "writer_user": 'w"riter'}
OWN |= {"operator_user": "o'perator", "reader_user": "reader"}


def say(server: PostgresServer, wanted: Postgres) -> "subprocess.CompletedProcess[str]":
    """What the service `roles` does, with these names and passwords."""
    environ = {"POSTGRES_DB": wanted.db} if wanted.db else {}
    environ |= {variable(role, "user"): login(wanted, role)[0] for role in ROLES}
    environ |= {
        variable(role, "password"): password.get_secret_value()
        for role in ROLES
        if (password := login(wanted, role)[1])
    }
    service = compose.services()["roles"]
    told = set(compose.environment(service)) - {"PGHOST", "PGUSER", "PGPASSWORD"}
    assert set(environ) | {"POSTGRES_DB"} == told
    with server.admin() as admin:
        here = {"PGHOST": "127.0.0.1", "PGPORT": str(server.settings.port)}
        superuser = here | {"PGUSER": admin.info.user, "PGPASSWORD": admin.info.password}
    file = str(compose.ROOT / "docker/roles.sql")
    return subprocess.run(
        [
            postgres_program("psql"),
            *(f"--file={file}" if "--file" in one else one for one in service["command"][1:]),
        ],
        env=environ | superuser,
        capture_output=True,
        text=True,
        check=False,
    )


# From an empty server to one that `plantwatch migrate` finds all it needs in, whatever the names;
# said again it changes nothing but the passwords, which are then the new ones.
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
def test_a_missing_variable_is_refused(settings: Settings, postgres: PostgresServer) -> None:
    done = say(postgres, settings.postgres.model_copy(update={"db": ""}))
    assert done.returncode != 0
    assert "syntax error" in done.stderr
