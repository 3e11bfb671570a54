"""Who listens where, as Linux has it in /proc."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final, NamedTuple

_LISTEN: Final = "0A"
Address = IPv4Address | IPv6Address


class Listener(NamedTuple):
    """A TCP socket that takes connections, and the process that has it."""

    pid: int
    address: Address
    port: int

    @property
    def program(self) -> str:
        return (Path("/proc") / str(self.pid) / "cmdline").read_text().replace("\0", " ")[:80]


def descendants(pid: int) -> set[int]:
    """A process, what it has started, and what that has."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold spaces.
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found, left = {pid}, [pid]
    while left:
        for child in children.get(left.pop(), ()):
            found.add(child)
            left.append(child)
    return found


def listeners(pids: set[int]) -> list[Listener]:
    """All TCP sockets on which one of these processes listens."""
    bound = dict(_bound())
    return [
        Listener(pid, *bound[inode]) for pid in pids for inode in _sockets(pid) if inode in bound
    ]


def _bound() -> Iterator[tuple[str, tuple[Address, int]]]:
    for table in ("tcp", "tcp6"):
        for line in (Path("/proc/net") / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN:
                host, _, port = fields[1].partition(":")
                yield fields[9], (_address(host), int(port, 16))


def _address(text: str) -> Address:
    """Words of four bytes, each in the machine's order, which is little-endian wherever we run."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    found = ip_address(b"".join(words))
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found


def _sockets(pid: int) -> Iterator[str]:
    """The inodes of a process's sockets."""
    try:
        for descriptor in (Path("/proc") / str(pid) / "fd").iterdir():
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                yield target.removeprefix("socket:[").removesuffix("]")
    except FileNotFoundError:  # it has ended
        return
