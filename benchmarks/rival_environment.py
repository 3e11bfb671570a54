"""The rivals' own environment, `.local/bench/venv`: their dependencies do not go with ours."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.results import FOLDER
from plantwatch.errors import UnavailableError

REQUIREMENTS: Final = Path("benchmarks/rivals.txt")
HOME: Final = FOLDER / "venv"


def ensure(home: Path = HOME, requirements: Path = REQUIREMENTS) -> Path:
    """The environment's Python; made first if it is missing or of other versions.

    Raises:
        UnavailableError: it cannot be made, mostly for want of a network.
    """
    python, stamp, wanted = home / "bin/python", home / "made-from.txt", requirements.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    _uv("venv", "--clear", "--python", sys.executable, str(home))
    _uv("pip", "install", "--python", str(python), "--requirement", str(requirements))
    stamp.write_text(wanted)
    return python


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    try:
        subprocess.run([uv, "--quiet", *arguments], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        output = getattr(error, "stderr", None) or str(error)
        why = " ".join(output.split())[:160]  # one line of a terminal or two
        raise UnavailableError(
            f"{REQUIREMENTS} cannot be installed ({why}); run `make bench` with a network"
        ) from None
