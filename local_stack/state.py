"""What a running stack leaves in `.local/stack/` for `status` and `down`.

The supervisor holds a lock for as long as it lives, so a state file without the lock is that of a
dead one: its pid may be anybody's by now and is never signalled.
"""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from local_stack.process import State, Status
from plantwatch.errors import ConfigError, UnavailableError

POLL_INTERVAL_SEC = 0.1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A running stack as of now; `settled` once every process is ready or waits for a person."""

    pid: int
    settled: bool
    processes: list[Status]


def write(home: Path, snapshot: Snapshot) -> None:
    """Replace the state file at once, so that no reader sees half of it."""
    path = _folder(home) / "state.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(snapshot), indent=1), encoding="utf-8")
    fresh.replace(path)


def read(home: Path) -> Snapshot | None:
    """The running stack, or None if there is none."""
    path = home / "stack" / "state.json"
    if not path.exists():  # nobody is asked for the lock, which a starting stack may want just now
        return None
    with contextlib.suppress(BlockingIOError), _locked(home):
        path.unlink(missing_ok=True)
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:  # it has ended between the two lines
        return None
    processes = [Status(**p | {"state": State(p["state"])}) for p in document.pop("processes")]
    return Snapshot(**document, processes=processes)


@contextlib.contextmanager
def held(home: Path) -> Iterator[None]:
    """The lock of the one stack in `home`, until the block or this process ends.

    Raises:
        ConfigError: another stack is up there.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_locked(home))
        except BlockingIOError:
            raise ConfigError(
                "the local stack is already up; end it with `plantwatch down`"
            ) from None
        stack.callback((home / "stack" / "state.json").unlink, missing_ok=True)
        yield


def stop(home: Path, patience: float) -> bool:
    """End the running stack and wait until it has; False if there was none.

    After `patience` seconds the supervisor is killed, and its children with it.

    Raises:
        UnavailableError: it is another user's.
    """
    running = read(home)
    if running is None:
        return False
    deadline = time.monotonic() + patience
    try:
        os.kill(running.pid, signal.SIGTERM)
        while read(home) is not None:
            if time.monotonic() > deadline:
                os.kill(running.pid, signal.SIGKILL)
            time.sleep(POLL_INTERVAL_SEC)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise UnavailableError(f"process {running.pid} is another user's; ask them") from None
    return True


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Hold the lock; raises BlockingIOError if somebody else does."""
    with (_folder(home) / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _folder(home: Path) -> Path:
    folder = home / "stack"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
