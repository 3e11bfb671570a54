"""What processes have used so far, from Linux's /proc."""

import os
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, its threads and its living children; 0 if it is gone."""
    return _own_seconds(pid) + sum(cpu_seconds(child) for child in _children(pid))


def _own_seconds(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
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


def resident_bytes() -> int:
    """Of this process."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
