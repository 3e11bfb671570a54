"""`plantwatch download-data`, against a local server."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
import yaml
from pytest_httpserver import HTTPServer
from typer import Context, Typer
from typer.testing import CliRunner

from commands.download_data import download_data
from plantwatch.errors import UnavailableError


@pytest.fixture
def app(tmp_path: Path, httpserver: HTTPServer) -> Typer:
    """The command alone, with a dataset of one small file."""
    cmapss = {
        "download": {
            "addresses": [httpserver.url_for("/data.zip")],
            "folder": str(tmp_path / "raw"),
            "timeout_sec": 5,
        },
        "files": {"RUL_FD001.txt": hashlib.sha256(b"7\n").hexdigest()},
    }
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "cmapss.yaml").write_text(yaml.safe_dump(cmapss))
    application = Typer()

    @application.callback()
    def common(context: Context, config: Path = tmp_path) -> None:
        """As in commands.app."""

    application.command()(download_data)
    return application


# The files are there afterwards, and the command says where.
def test_downloads(app: Typer, httpserver: HTTPServer, tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("CMAPSSData/RUL_FD001.txt", b"7\n")
    httpserver.expect_request("/data.zip").respond_with_data(archive.getvalue())
    result = CliRunner().invoke(app, ["download-data"], catch_exceptions=False)
    assert result.output.startswith(f"1 files in {tmp_path / 'raw'}")
    assert (tmp_path / "raw" / "RUL_FD001.txt").read_bytes() == b"7\n"


# No network: one line that names the way out.
def test_no_network(app: Typer) -> None:
    with pytest.raises(UnavailableError, match="CMAPSS_DIR"):
        CliRunner().invoke(app, ["download-data"], catch_exceptions=False)
