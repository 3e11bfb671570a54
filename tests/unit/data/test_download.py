"""Downloading, against a local server with a small made-up archive."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from data.datasets import Cmapss, Download
from data.download import download
from plantwatch.errors import UnavailableError

FILES = {"train_FD001.txt": b"1 1 0.5\n", "RUL_FD001.txt": b"7\n"}


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as members:
        for name, content in files.items():
            members.writestr(name, content)
    return buffer.getvalue()


def described(folder: Path, *addresses: str) -> Cmapss:
    files = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    where = Download(addresses=addresses, folder=folder, timeout_sec=5)
    return Cmapss(download=where, files=files)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# The files come out of the archive, whether they lie in it or in a zip in a folder inside it.
@pytest.mark.parametrize(
    "served", [archive(FILES), archive({"6. Turbofan/CMAPSSData.zip": archive(FILES)})]
)
def test_files_are_unpacked(httpserver: HTTPServer, tmp_path: Path, served: bytes) -> None:
    httpserver.expect_request("/data.zip").respond_with_data(served)
    cmapss = described(tmp_path / "raw", httpserver.url_for("/data.zip"))
    assert contents(download(cmapss)) == FILES


# What is there already, whole, is not fetched again.
def test_nothing_to_do(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    assert download(described(tmp_path, "http://127.0.0.1:1/data.zip")) == tmp_path


# A page that says "moved", a wrong file or a server error at the first address: the second is used.
@pytest.mark.parametrize(
    ("served", "status"),
    [(b"<html>moved</html>", 200), (archive(FILES | {"RUL_FD001.txt": b"8\n"}), 200), (b"", 503)],
)
def test_second_address_is_tried(
    httpserver: HTTPServer, tmp_path: Path, served: bytes, status: int
) -> None:
    httpserver.expect_request("/nasa.zip").respond_with_data(served, status=status)
    httpserver.expect_request("/mirror.zip").respond_with_data(archive(FILES))
    addresses = [httpserver.url_for(path) for path in ("/nasa.zip", "/mirror.zip")]
    assert contents(download(described(tmp_path, *addresses))) == FILES


# When no address has NASA's files, one line says why and what to do, and nothing is left behind.
def test_nothing_half_written(httpserver: HTTPServer, tmp_path: Path) -> None:
    other = archive(FILES | {"RUL_FD001.txt": b"8\n"})
    httpserver.expect_request("/data.zip").respond_with_data(other)
    with pytest.raises(UnavailableError, match=r"RUL_FD001.txt .*CMAPSS_DIR") as failure:
        download(described(tmp_path, httpserver.url_for("/data.zip")))
    assert "\n" not in str(failure.value)
    assert contents(tmp_path) == {}


# Without a network the answer is the same kind of line, and what was there stays.
def test_no_network(tmp_path: Path) -> None:
    (tmp_path / "train_FD001.txt").write_bytes(b"mine\n")
    with pytest.raises(UnavailableError, match=r"ConnectionError.*CMAPSS_DIR"):
        download(described(tmp_path, "http://127.0.0.1:1/data.zip"))
    assert contents(tmp_path) == {"train_FD001.txt": b"mine\n"}
