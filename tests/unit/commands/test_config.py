import os
import subprocess
import sys
from pathlib import Path

import yaml
from dotenv import dotenv_values

from commands.config import SECRETS
from plantwatch.configuration import FILES, load, render_env_example

ROOT = Path(__file__).parents[3]
PASSWORD = "hunter-is-not-printable"


def plantwatch(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "commands.app", *arguments],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


# A mistake in the configuration is one line that says what to do, no traceback, and exit code 78.
def test_a_configuration_mistake_is_one_line(tmp_path: Path) -> None:
    ended = plantwatch("--config", tmp_path, "config", "show")
    assert ended.returncode == 78
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(f"plantwatch: {tmp_path / FILES[0]}: ")


# What is shown are the settings in force: files, overridden by the environment, secrets masked.
def test_show_prints_the_settings_in_force() -> None:
    ended = plantwatch("config", "show", WINDOW_MAX_GAP="4", POSTGRES_PASSWORD=PASSWORD)
    assert ended.returncode == 0, ended.stderr
    shown = yaml.safe_load(ended.stdout)
    assert shown["window"]["max_gap"] == 4
    assert shown["kafka"]["partitions"] == load(ROOT / "configs", {}).kafka.partitions
    assert PASSWORD not in ended.stdout + ended.stderr
    assert set(shown["postgres"]["password"]) == {"*"}


# A value that does not fit is named with its variable; the password beside it is not shown.
def test_a_bad_variable_is_one_line() -> None:
    ended = plantwatch("config", "show", POSTGRES_PORT="none", POSTGRES_PASSWORD=PASSWORD)
    assert ended.returncode == 78
    assert ended.stderr.count("\n") == 1
    assert "POSTGRES_PORT" in ended.stderr
    assert PASSWORD not in ended.stderr


# The example of all variables can be written anew.
def test_env_example_is_written(tmp_path: Path) -> None:
    ended = plantwatch("config", "env-example", "--output", tmp_path / "example")
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "example").read_text(encoding="utf-8") == render_env_example()


# What compose.yaml wants is made once, and kept from others; what somebody chose stays.
def test_passwords_are_made_for_containers(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nAPI_KEY=chosen\nGRAFANA_ADMIN_PASSWORD=\n")
    first, again = (plantwatch("config", "passwords", "--output", file) for _ in range(2))
    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert f"{len(SECRETS) - 1} of them new" in first.stdout
    assert "0 of them new" in again.stdout
    found = dotenv_values(file)
    assert set(found) == set(SECRETS)
    assert found["API_KEY"] == "chosen"
    assert len(set(found.values())) == len(SECRETS)
    assert file.stat().st_mode & 0o777 == 0o600
