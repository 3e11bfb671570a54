"""Prometheus, where its binary is installed, scraping the pipeline's processes."""

import shutil
from functools import partial
from pathlib import Path

import yaml

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
        before_start=partial(_configure, configuration, scrape_config(settings)),
    )


def scrape_config(settings: Settings) -> str:
    """prometheus.yml: one job per process of the pipeline, named like it."""
    ports = {
        "producer": settings.producer.metrics_port,
        "worker": settings.worker.metrics_port,
        "sink-postgres": settings.sink.postgres_metrics_port,
        "sink-prometheus": settings.sink.prometheus_metrics_port,
        "sink-shadow": settings.sink.shadow_metrics_port,
        "sink-readings": settings.sink.readings_metrics_port,
        "outbox": settings.outbox.metrics_port,
        "drift": settings.drift.metrics_port,
    }
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}]}
        for name, port in ports.items()
    ]
    interval = {"scrape_interval": f"{settings.stack.scrape_interval_sec:g}s"}
    return yaml.safe_dump({"global": interval, "scrape_configs": jobs}, sort_keys=False)


def _configure(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
