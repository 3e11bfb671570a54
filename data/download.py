"""NASA's files from the network: checked one by one by sha256, and all of them or none."""

import hashlib
import io
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Protocol
from urllib.parse import urlsplit
from zipfile import BadZipFile, ZipFile

from data.datasets import Cmapss
from plantwatch.errors import BadDataError, UnavailableError


class Bar(Protocol):
    """What pooch moves while bytes arrive."""

    total: float | None

    def update(self, size: int) -> None: ...
    def reset(self) -> None: ...
    def close(self) -> None: ...


def download(cmapss: Cmapss, bar: Bar | None = None) -> Path:
    """Fetch the archive from the first address that serves it whole; return the files' folder.

    Blocks for as long as bytes keep coming; does nothing when all files are there already.

    Raises:
        UnavailableError: no address gave the files; those that were there are untouched. The
            caller tells the person, or does with other data.
    """
    folder = cmapss.download.folder
    if all(is_official(folder / name, cmapss) for name in cmapss.files):
        return folder
    failures = []
    for address in cmapss.download.addresses:
        try:
            return _download_from(address, cmapss, bar)
        except (OSError, BadZipFile, BadDataError) as error:  # requests' errors are OSErrors
            why = str(error) if isinstance(error, BadDataError) else type(error).__name__
            failures.append(f"{urlsplit(address).netloc}: {why}")
    raise UnavailableError(
        f"C-MAPSS cannot be downloaded ({'; '.join(failures)}); try again later, "
        "or set CMAPSS_DIR to a folder that has the files"
    )


def is_official(path: Path, cmapss: Cmapss) -> bool:
    """Whether `path` is the file that NASA gives that name; False if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == cmapss.files.get(path.name)
    except OSError:
        return False


def _download_from(address: str, cmapss: Cmapss, bar: Bar | None) -> Path:
    import pooch  # noqa: PLC0415 - brings a progress bar that complains in every notebook

    folder = cmapss.download.folder
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
        archive = Path(temporary, "archive.zip")
        fetch = pooch.HTTPDownloader(progressbar=bar, timeout=cmapss.download.timeout_sec)
        fetch(address, str(archive), None)
        found = _unpack(archive.read_bytes(), set(cmapss.files))
        for name, sha256 in cmapss.files.items():
            if hashlib.sha256(found.get(name, b"")).hexdigest() != sha256:
                raise BadDataError(f"{name} in its archive is missing or not NASA's")
            Path(temporary, name).write_bytes(found[name])
        for name in cmapss.files:  # all are whole by now; each appears at once
            Path(temporary, name).replace(folder / name)
    return folder


def _unpack(archive: bytes, wanted: set[str]) -> dict[str, bytes]:
    """The `wanted` files by base name, in whichever folder or zip inside the zip they lie."""
    found: dict[str, bytes] = {}
    with ZipFile(io.BytesIO(archive)) as members:
        for member in members.namelist():
            name = PurePosixPath(member).name
            if name in wanted:
                found[name] = members.read(member)
            elif name.endswith(".zip"):
                found |= _unpack(members.read(member), wanted)
    return found
