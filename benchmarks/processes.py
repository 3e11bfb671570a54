"""Processes that are measured: running for a while, and what they have used so far (Linux)."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

Child = subprocess.Popen[bytes]

_END_SEC: Final = 20.0
"""Longer than the worker's drain."""


@contextmanager
def running(
    command: Sequence[str], environ: Mapping[str, str], log: Path, folder: Path | None = None
) -> Iterator[Child]:
    """A process for the length of the block, with `environ` over this one's environment.

    What it prints is appended to `log`. Ended by SIGTERM, and if that does not do, killed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | dict(environ),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(_END_SEC)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, its threads and its living children; 0 if it is gone."""
    return _own_seconds(pid) + sum(cpu_seconds(child) for child in _children(pid))


def resident_bytes() -> int:
    """Memory of this process that lies in RAM."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _own_seconds(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    # The name, in parentheses, may hold anything; utime and stime are fields 14 and 15 of proc(5).
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text(encoding="ascii").split())
        except OSError:  # a thread that has just ended
            continue
    return found
