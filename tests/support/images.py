"""Images without Docker: the packages of one in an environment of its own, and its services there.

What an engine adds is missing (the base image, the user, the network, what is read-only): this
shows that a service needs no package, file or variable but those that its container has.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from tests.support import compose

HOME: Final = compose.ROOT / ".local/images"
APP: Final = HOME / "app"
WRITABLE: Final = (".local", "data/raw")
"""What a container may write of /app: memory, or a volume."""


@cache
def environment_of(lock: str) -> Path:
    """The `bin` of an environment with exactly a lock's packages."""
    uv = Path(sys.executable).with_name("uv")
    folder = HOME / lock
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    file = compose.ROOT / f"requirements/{lock}.lock"
    # A compiler is no part of python:slim, where the image is built.
    subprocess.run(
        [uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", file],
        env=os.environ | {"CC": "/bin/false", "CXX": "/bin/false"},
        check=True,
    )
    return python.parent


@cache
def app() -> Path:
    """A copy of what .dockerignore lets into an image."""
    shutil.rmtree(APP, ignore_errors=True)
    lines = (compose.ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    skip = shutil.ignore_patterns("__pycache__", "raw")
    for name in (line[1:] for line in lines if line.startswith("!")):
        shutil.copytree(compose.ROOT / name, APP / name, ignore=skip)
    for name in WRITABLE:
        (APP / name).mkdir(parents=True)
    return APP


def files() -> set[str]:
    """What is in the copy, but where a container may write."""
    names = {str(path.relative_to(APP)) for path in APP.rglob("*") if path.is_file()}
    return {name for name in names if not name.startswith(WRITABLE)}


@dataclass
class Container:
    """A service of compose.yaml as a process here.

    `places` are texts of its command and variables, and what stands for them on this machine;
    `secrets` the values of compose.yaml's variables; `given` what its process is told beside.
    """

    name: str
    places: dict[str, str]
    secrets: dict[str, str]
    given: dict[str, str]
    process: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        self.service = compose.services()[self.name]
        self._bin = environment_of(compose.lock(self.service))
        self._log = HOME / f"{self.name}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self._entrypoint(), *map(self._here, compose.command(self.service))],
                cwd=app(),
                env=self._environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def is_healthy(self) -> bool:
        """By its own health check."""
        assert self.process.poll() is None, self.said
        kind, *words = self.service["healthcheck"]["test"]
        assert kind == "CMD"
        done = subprocess.run(
            list(map(self._here, words)),
            cwd=app(),
            env={"PATH": self._path},
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    def end(self) -> int:
        """Told to by SIGTERM, as by `docker stop`; the exit code. What is left of it is killed."""
        if self.process.poll() is not None:
            return self.process.returncode
        self.process.terminate()
        code = self.process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return code

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def _path(self) -> str:
        return f"{self._bin}:/usr/bin:/bin"

    def _environment(self) -> dict[str, str]:
        """What its process finds: nothing of this one's."""
        own = compose.environment(self.service, self.secrets)
        home = HOME / "home"
        home.mkdir(exist_ok=True)
        return {name: self._here(value) for name, value in own.items()} | {
            "PATH": self._path,
            "PYTHONPATH": str(app()),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home),
            **self.given,
        }

    def _entrypoint(self) -> list[str]:
        words = self.service.get("entrypoint", ["python", "-m", "commands.app"])
        return [word.replace("/app/", f"{app()}/") for word in words]

    def _here(self, text: str) -> str:
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text
