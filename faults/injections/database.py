"""What PostgreSQL can refuse while it runs, and a line that is cut at the worst moment."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from connections.postgres import connect
from faults.moments import HITS, SINK, in_mid_work, scores
from faults.plant import Plant
from faults.proxy import Proxy
from faults.scenario import RATE, Around, Measured, Session, Trial
from faults.supervised import NotRunnableError, until
from local_stack.postgres import SYSTEM_USER

_DISK_MB: Final = 16
"""Holds the table for a moment, and is full in no time."""


@contextmanager
def behind_a_proxy(session: Session) -> Iterator[Around]:
    """A pipeline whose connections to PostgreSQL can be cut."""
    proxy = Proxy(session.servers.settings.postgres.port)
    try:
        yield Around({"POSTGRES_PORT": str(proxy.port)}, proxy)
    finally:
        proxy.close()


def commit_replies_cut(trial: Trial) -> Measured:
    """The server commits, and the sink never hears of it: it must write the batch again."""
    proxy = trial.proxy
    assert proxy is not None
    for hits in range(1, HITS + 1):
        in_mid_work(trial.plant, SINK)
        proxy.cut_next_commit()
        until(lambda: proxy.cut >= hits, "the sink commits")  # noqa: B023 (called at once)
    in_mid_work(trial.plant, SINK)
    return {"cuts": proxy.cut}


def read_only(trial: Trial) -> None:
    """As after a failover to a standby: every INSERT is refused, for a while."""
    plant = trial.plant
    database = sql.Identifier(plant.settings.postgres.db)
    in_mid_work(plant, SINK)
    change = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}")
    with _admin(trial) as admin:
        try:
            admin.execute(change.format(database, sql.Literal("on")))
            _drop_connections(trial)
            plant.processes.until_logged(SINK, "25006")
        finally:
            admin.execute(change.format(database, sql.Literal("off")))
            _drop_connections(trial)
    in_mid_work(plant, SINK)


def locked(trial: Trial) -> None:
    """Somebody holds the table for longer than the sink waits for it."""
    plant = trial.plant
    in_mid_work(plant, SINK)
    with connect(plant.settings, "owner") as connection, connection.transaction():
        connection.execute("LOCK TABLE anomaly_events IN ACCESS EXCLUSIVE MODE")
        plant.processes.until_logged(SINK, "55P03")
    in_mid_work(plant, SINK)


def insert_revoked(trial: Trial) -> None:
    """The sink stops with exit 78 and is started again until somebody mends the grant; meanwhile
    its status says what to mend.
    """
    plant = trial.plant
    in_mid_work(plant, SINK)
    writer = sql.Identifier(plant.settings.postgres.writer_user)
    status = plant.processes.status(SINK)
    with connect(plant.settings, "owner", autocommit=True) as owner:
        owner.execute(sql.SQL("REVOKE INSERT ON anomaly_events FROM {}").format(writer))
        until(
            lambda: status.reason.startswith("exit 78") and "permission denied" in status.reason,
            lambda: f"the sink ends and says why, not {status.reason!r}",
        )
        owner.execute(sql.SQL("GRANT INSERT ON anomaly_events TO {}").format(writer))
    in_mid_work(plant, SINK)


def rows_refused(trial: Trial) -> None:
    """Some rows break a CHECK: these go to the dead letters, the rest are stored."""
    in_mid_work(trial.plant, SINK)
    with connect(trial.plant.settings, "owner") as owner:
        owner.execute("ALTER TABLE anomaly_events ADD CHECK (cycle % 47 <> 0) NOT VALID")
    # From now on, long enough for every machine to come to such a cycle.
    before = scores(trial.plant)
    until(lambda: scores(trial.plant) > before + 6 * RATE, "enough is scored")


def disk_full(trial: Trial) -> None:
    """The table lies on a disk of a few megabytes that somebody else fills up."""
    plant = trial.plant
    with ExitStack() as stack:
        disk = stack.enter_context(_small_disk())
        stack.enter_context(_tablespace(trial, disk / "space"))
        _move(plant, "small")
        stack.callback(_move, plant, "pg_default")
        in_mid_work(plant, SINK)
        filler = disk / "filler"
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={filler}", "bs=64k"],
            check=False,  # it ends when the disk is full
            capture_output=True,
        )
        plant.processes.until_logged(SINK, "53100")
        filler.unlink()
        in_mid_work(plant, SINK)


@contextmanager
def _tablespace(trial: Trial, folder: Path) -> Iterator[None]:
    """`small`, for the length of the block."""
    location = sql.Literal(str(folder))
    with _admin(trial) as admin:
        admin.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(location))
        admin.execute("GRANT CREATE ON TABLESPACE small TO PUBLIC")
        try:
            yield
        finally:
            admin.execute("CHECKPOINT")  # or what is dirty would be written when it is gone
            admin.execute("DROP TABLESPACE small")


def _move(plant: Plant, tablespace: str) -> None:
    """The table with its indexes, under the sink's feet."""
    with connect(plant.settings, "owner") as owner:
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
        raise NotRunnableError("a full disk takes root and Linux: run `sudo make faults`")
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


def _drop_connections(trial: Trial) -> None:
    with _admin(trial) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [trial.plant.settings.postgres.db],
        )


def _admin(trial: Trial) -> psycopg.Connection:
    return trial.session.servers.admin()
