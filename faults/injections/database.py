"""What PostgreSQL can refuse while it runs, and a line that is cut at the worst moment."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from faults.injections.processes import HITS
from faults.moments import BREATH_SEC, in_mid_work, scores
from faults.plant import FaultError, NotRunnableError, Plant, Servers, until
from faults.proxy import Proxy
from faults.run import RATE, Measured, Trial
from local_stack.postgres import SYSTEM_USER
from plantwatch.settings import Settings
from sinks.postgres import connect

_DISK_MB: Final = 16
_PROXIES: dict[int, Proxy] = {}
"""By port: the surroundings make one, the injection finds it by the settings."""


@contextmanager
def behind_a_proxy(servers: Servers) -> Iterator[Mapping[str, str]]:
    proxy = Proxy(servers.settings.postgres.port)
    _PROXIES[proxy.port] = proxy
    port = proxy.port
    try:
        yield {"POSTGRES_PORT": str(port)}
    finally:
        _PROXIES.pop(port).close()


def commit_replies_cut(trial: Trial) -> Measured:
    """The server commits, and the sink never hears of it: it must write the batch again."""
    proxy = _PROXIES[trial.plant.settings.postgres.port]
    for hits in range(1, HITS + 1):
        in_mid_work(trial.plant)
        proxy.cut_next_commit()
        until(lambda: proxy.cut >= hits, "the sink commits")  # noqa: B023 (called at once)
    return {"cuts": proxy.cut}


def read_only(trial: Trial) -> Measured:
    """As after a failover to a standby: every INSERT is refused, for a while."""
    database = sql.Identifier(trial.plant.settings.postgres.db)
    in_mid_work(trial.plant)
    with _admin(trial) as admin:
        change = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
        admin.execute(change.format(database, sql.Literal("on")))
        _drop_connections(trial)
        _nothing_is_stored(trial)
        admin.execute(change.format(database, sql.Literal("off")))
        _drop_connections(trial)
    return {}


def locked(trial: Trial) -> Measured:
    """Somebody holds the table for longer than the sink waits for it."""
    in_mid_work(trial.plant)
    with connect(trial.plant.settings) as connection, connection.transaction():
        connection.execute("LOCK TABLE anomaly_events IN ACCESS EXCLUSIVE MODE")
        time.sleep(trial.plant.settings.sink.lock_timeout_sec + BREATH_SEC)
    return {}


def insert_revoked(trial: Trial) -> Measured:
    """The sink stops with exit 78 and is started again until somebody mends the grant."""
    plant = trial.plant
    in_mid_work(plant)
    user = sql.Identifier(plant.settings.postgres.user)
    with connect(plant.settings, autocommit=True) as owner:
        owner.execute(sql.SQL("REVOKE INSERT ON anomaly_events FROM {}").format(user))
        until(lambda: "exit 78" in plant.processes.status("sink-postgres").reason, "the sink ends")
        time.sleep(BREATH_SEC)
        reason = plant.processes.status("sink-postgres").reason
        if "permission denied" not in reason:
            raise FaultError(f"status does not say what to mend: {reason}")
        owner.execute(sql.SQL("GRANT INSERT ON anomaly_events TO {}").format(user))
    return {}


def rows_refused(trial: Trial) -> Measured:
    """Some rows break a CHECK: these go to the dead letters, the rest are stored."""
    in_mid_work(trial.plant)
    with connect(trial.plant.settings) as owner:
        owner.execute("ALTER TABLE anomaly_events ADD CHECK (cycle % 97 <> 0) NOT VALID")
    # For long enough that there are such rows: a machine's cycle takes machines / rate seconds.
    until(lambda: scores(trial.plant) > 12 * RATE, "enough is scored")
    return {}


def disk_full(trial: Trial) -> Measured:
    """The table lies on a disk of a few megabytes that somebody else fills up."""
    with _small_disk() as disk, _admin(trial) as admin:
        space = sql.Literal(str(disk / "space"))
        admin.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(space))
        admin.execute("GRANT CREATE ON TABLESPACE small TO PUBLIC")
        _move(trial.plant, "small")
        in_mid_work(trial.plant)
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={disk / 'filler'}", "bs=64k"],
            check=False,  # it ends when the disk is full
            capture_output=True,
        )
        _nothing_is_stored(trial)
        (disk / "filler").unlink()
        trial.plant.drained_below(RATE)
        _move(trial.plant, "pg_default")
        admin.execute("CHECKPOINT")
        admin.execute("DROP TABLESPACE small")
    return {}


def _move(plant: Plant, tablespace: str) -> None:
    """The table with its indexes, under the sink's feet."""
    with connect(plant.settings) as owner:
        found = owner.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'anomaly_events'"
        ).fetchall()
        to = sql.SQL("SET TABLESPACE {}").format(sql.Identifier(tablespace))
        owner.execute(sql.SQL("ALTER TABLE anomaly_events {}").format(to))
        for (index,) in found:
            owner.execute(sql.SQL("ALTER INDEX {} {}").format(sql.Identifier(index), to))


@contextmanager
def _small_disk() -> Iterator[Path]:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        raise NotRunnableError(
            "a full disk takes root and Linux: run it as root (sudo make faults)"
        )
    with tempfile.TemporaryDirectory(prefix="plantwatch-disk-") as name:
        Path(name).chmod(0o755)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "tmpfs", name]
        if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            raise NotRunnableError("a full disk takes the right to mount: CAP_SYS_ADMIN")
        try:
            (Path(name) / "space").mkdir()
            shutil.chown(Path(name) / "space", SYSTEM_USER)
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


def _nothing_is_stored(trial: Trial) -> None:
    """Wait until the table grows no more while scores come in."""
    settings = trial.plant.settings
    until(lambda: _is_still(settings), "the sink can write no more")
    in_mid_work(trial.plant)


def _is_still(settings: Settings) -> bool:
    before = _rows(settings)
    time.sleep(BREATH_SEC)
    return _rows(settings) == before


def _rows(settings: Settings) -> int:
    with connect(settings) as connection:
        found = connection.execute("SELECT count(*) FROM anomaly_events").fetchone()
    assert found is not None
    return int(found[0])


def _drop_connections(trial: Trial) -> None:
    with _admin(trial) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [trial.plant.settings.postgres.db],
        )


def _admin(trial: Trial) -> psycopg.Connection:
    return trial.session.servers.admin()
