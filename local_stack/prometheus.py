"""Prometheus, where its binary is installed, scraping the pipeline's processes; and Alertmanager.

Rules and routes are those of `plantwatch alerts --write`, by the settings of this stack.
"""

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

import yaml

from local_stack.pipeline import command, drift, environment_of, sink_readings
from local_stack.process import LOOPBACK, Port, Process, Skipped, answers
from plantwatch.settings import Settings


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
    address = f"{LOOPBACK}:{settings.stack.prometheus_port}"
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
        ports=(Port(settings.stack.prometheus_port, "STACK_PROMETHEUS_PORT"),),
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
    address = f"{LOOPBACK}:{settings.stack.alertmanager_port}"
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
        ports=(Port(settings.stack.alertmanager_port, "STACK_ALERTMANAGER_PORT"),),
        make_ready=partial(answers, f"http://{address}/-/ready"),
        before_start=partial(_write_alerts, settings, folder),
    )


def scrape_config(settings: Settings) -> str:
    """prometheus.yml: one job per process of the pipeline, named like it; rules lie beside it."""
    ports = {
        "producer": settings.producer.metrics_port,
        "worker": settings.worker.metrics_port,
        "sink-postgres": settings.sink.postgres_metrics_port,
        "sink-prometheus": settings.sink.prometheus_metrics_port,
        "sink-shadow": settings.sink.shadow_metrics_port,
        "sink-readings": settings.sink.readings_metrics_port,
        "outbox": settings.outbox.metrics_port,
        "drift": settings.drift.metrics_port,
        "api": settings.api.port,
    }
    # What does not run on purpose is no alert.
    if isinstance(sink_readings(settings, Path()), Skipped):
        del ports["sink-readings"]
    if isinstance(drift(settings, Path()), Skipped):
        del ports["drift"]
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}]}
        for name, port in ports.items()
    ]
    interval = f"{round(1000 * settings.stack.scrape_interval_sec)}ms"
    managers = [{"targets": [f"{LOOPBACK}:{settings.stack.alertmanager_port}"]}]
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
