"""Prometheus, where its binary is installed, scraping the pipeline's processes; and Alertmanager.

Rules and routes are those of `plantwatch alerts --write`, by the settings of this stack.
"""

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Final

import yaml

from local_stack.pipeline import command, drift, environment_of, sink_readings
from local_stack.ports import port_of, ports
from local_stack.process import LOOPBACK, Process, Skipped, answers
from plantwatch.settings import Settings

_UNSCRAPED: Final = {"kafka", "postgres", "prometheus", "alertmanager", "dashboard"}
"""They have a port, and no metrics of ours."""


def process(settings: Settings, home: Path) -> Process | Skipped:
    """A server at `stack.prometheus_port`, or why there is none."""
    binary = shutil.which("prometheus")
    if binary is None:
        return Skipped(
            "prometheus",
            "not installed; get it with `apt install prometheus` or `brew install prometheus`",
        )
    folder = (home / "prometheus").resolve()
    configuration = folder / "prometheus.yml"
    port = port_of(settings, "prometheus")
    address = f"{LOOPBACK}:{port.number}"
    return Process(
        name="prometheus",
        argv=(
            binary,
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=warn",
        ),
        address=f"http://{address}",
        ports=(port,),
        make_ready=partial(answers, f"http://{address}/-/ready"),
        before_start=partial(_configure, settings, configuration),
    )


def alertmanager(settings: Settings, home: Path) -> Process | Skipped:
    """A server at `stack.alertmanager_port`, or why there is none; it has no peers."""
    # Debian's name, and everybody else's.
    binary = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if binary is None:
        return Skipped(
            "alertmanager",
            "not installed; get it with `apt install prometheus-alertmanager` or "
            "`brew install alertmanager`",
        )
    folder = (home / "alertmanager").resolve()
    port = port_of(settings, "alertmanager")
    address = f"{LOOPBACK}:{port.number}"
    return Process(
        name="alertmanager",
        argv=(
            binary,
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ),
        address=f"http://{address}",
        ports=(port,),
        make_ready=partial(answers, f"http://{address}/-/ready"),
        before_start=partial(_write_alerts, settings, folder),
    )


def scrape_config(settings: Settings) -> str:
    """prometheus.yml: one job per process of the pipeline, named like it; rules lie beside it."""
    # What does not run on purpose is no alert.
    off = {
        one.name
        for one in (sink_readings(settings, Path()), drift(settings, Path()))
        if isinstance(one, Skipped)
    }
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [f"{LOOPBACK}:{port.number}"]}]}
        for name, port in ports(settings)
        if name not in _UNSCRAPED | off
    ]
    interval = f"{round(1000 * settings.stack.scrape_interval_sec)}ms"
    managers = [{"targets": [f"{LOOPBACK}:{port_of(settings, 'alertmanager').number}"]}]
    document = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": managers}]},
        "scrape_configs": jobs,
    }
    return yaml.safe_dump(document, sort_keys=False)


def _configure(settings: Settings, path: Path) -> None:
    _write_alerts(settings, path.parent)
    path.write_text(scrape_config(settings), encoding="utf-8")


def _write_alerts(settings: Settings, folder: Path) -> None:
    """A command, as the pipeline's processes are: the table of alerts is not for us to import."""
    subprocess.run(
        command("alerts", "--write", "--folder", str(folder)),
        env=os.environ | environment_of(settings),
        stdout=subprocess.DEVNULL,
        check=True,
    )
