"""A demonstration's result for people: at most 100 columns, the bad news first if there is any."""

import shutil
from collections.abc import Iterator, Sequence

from demo.account import Account
from demo.machines import Machine
from demo.tour import Tour
from plantwatch.settings import Settings
from plantwatch.windows import ReadingClass


def lines(tour: Tour, settings: Settings, *, kept: bool) -> Iterator[str]:
    """The whole summary, line by line, without markup."""
    yield from _account(tour.account)
    yield (
        f"Parity     {tour.parity.windows:,} stored scores against the same model offline: "
        f"largest difference {tour.parity.largest:.1g}"
    )
    yield ""
    yield from _machines(tour.machines, settings.anomaly.label_rul)
    yield ""
    yield from _speed(tour)
    yield ""
    yield from _next(settings) if kept else _again()


def _account(account: Account) -> Iterator[str]:
    classes = ((getattr(account, kind), kind.replace("_", " ")) for kind in ReadingClass)
    verdict = "every reading is accounted for" if account.in_order else "NOT IN ORDER"
    yield f"Readings   {account.published:,} published:"
    yield "           " + ", ".join(f"{number:,} {name}" for number, name in classes)
    yield (
        f"Verdicts   {account.stored:,} stored, {account.lost:,} lost, "
        f"{account.doubled:,} doubled: {verdict}"
    )
    yield f"Source     {account.source}"


def _machines(machines: Sequence[Machine], horizon: int) -> Iterator[str]:
    near = [one for one in machines if one.near_failure]
    caught = [one for one in near if one.alarm is not None]
    others = [one for one in machines if one.alarm is not None and not one.near_failure]
    yield f"Machines   {len(machines)} watched, {len(caught) + len(others)} in alarm"
    yield (
        f"Truth      {len(near)} were within {horizon} cycles of failure: {len(caught)} caught, "
        f"{len(near) - len(caught)} missed; {len(others)} alarm{'s' * (len(others) != 1)} on others"
    )
    for one in sorted(machines, key=lambda m: m.rul):
        if one.near_failure or one.alarm is not None:
            yield _machine(one)


def _machine(one: Machine) -> str:
    alarm = "missed" if one.alarm is None else f"alarm at cycle {one.alarm:>3}"
    end = f"{one.rul} cycles left at its last row, {one.cycles}"
    note = "" if one.near_failure else "  (early)"
    return f"  {one.sensor_id:<18} {alarm:<19} {end}{note}"


def _speed(tour: Tour) -> Iterator[str]:
    account, latencies = tour.account, tour.latencies
    rate = account.published / account.seconds if account.seconds else 0
    yield f"Speed      {rate:,.0f} readings/s from first publication to last row stored"
    if latencies:
        p50, p99 = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
        yield (
            f"Latency    publication to verdict p50 {p50:.2f} s, p99 {p99:.2f} s "
            "(as fast as possible, so mostly queueing)"
        )


def _next(settings: Settings) -> Iterator[str]:
    cfg, loopback = settings.postgres, "http://127.0.0.1"
    yield "The stack is up:"
    yield f"  Live page   {loopback}:{settings.streamlit.port}"
    yield f"  Kafka       {settings.kafka.bootstrap_servers}   topics {_topics(settings)}"
    yield f"  PostgreSQL  {cfg.host}:{cfg.port}/{cfg.db}   passwords in .local/stack.env"
    yield f"  MLflow      {settings.mlflow.tracking_uri}"
    yield f"  Metrics     {loopback}:{settings.worker.metrics_port}/metrics"
    if shutil.which("prometheus"):
        yield f"  Prometheus  {loopback}:{settings.stack.prometheus_port}"
    if shutil.which("amtool"):
        yield f"  Alerts      {loopback}:{settings.stack.alertmanager_port}   docs/runbook.md"
    yield "Next: make watch, make replay ARGS='--speed 10', make status; make down stops it."


def _again() -> Iterator[str]:
    yield "The stack is down again. Next: make demo KEEP=1 leaves it up; make watch, make replay,"
    yield "make status then show it at work, and make down stops it."


def _topics(settings: Settings) -> str:
    return ", ".join(str(name) for name in settings.topics.model_dump().values())
