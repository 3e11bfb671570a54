"""Files for our eyes only: passwords, keys, and configuration that has some in it."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import set_key


def write(file: Path, text: str) -> None:
    """Write a file that nobody else may read, at no moment."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)


def set_variables(file: Path, values: Mapping[str, str]) -> None:
    """Add variables to a `.env` file, or change them there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    file.chmod(0o600)
    for name, value in values.items():
        set_key(file, name, value, quote_mode="never")
