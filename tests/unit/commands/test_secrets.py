"""No secret is shown by the command that shows the settings, whichever section it is of."""

import os
import subprocess
import sys
from pathlib import Path

from plantwatch.configuration import variables
from plantwatch.settings import Settings

ROOT = Path(__file__).parents[3]
SECRET = "hunter-is-not-printable"


def is_secret(section: str, field: str) -> bool:
    kind = Settings.model_fields[section].annotation
    assert kind is not None
    return "SecretStr" in str(kind.model_fields[field].annotation)


# Stars stand for every secret that is set, in what is printed and in what is logged.
def test_show_masks_every_secret() -> None:
    names = [name for section, field, name in variables() if is_secret(section, field)]
    assert {"POSTGRES_WRITER_PASSWORD", "KAFKA_SASL_PASSWORD", "GRAFANA_TOKEN"} <= set(names)
    secret = {name: f"{SECRET}-{number}" for number, name in enumerate(names)}
    ended = subprocess.run(
        [sys.executable, "-m", "commands.app", "config", "show"],
        cwd=ROOT,
        env=os.environ | secret | {"LOG_LEVEL": "DEBUG"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert SECRET not in ended.stdout + ended.stderr
    assert ended.stdout.count("'**********'") == len(names)
