"""The table of alerts: Prometheus' rules, Alertmanager's routes and promtool's cases come from it.

Machines are in no label, so an alert speaks of how many; which ones, the dashboard and `plantwatch
incident list` say. Each has a section in docs/runbook.md.
"""

from collections.abc import Iterator
from typing import Final

from monitoring.alert import Alert, Case, Severity, fault, gauge, work
from monitoring.objectives import burning
from plantwatch import metrics
from plantwatch.dashboards import Dashboard
from plantwatch.settings import Settings

BLIND: Final = ("PipelineDown", "NoProgress")
"""While one of these fires nothing new is known of any machine."""
_CHAIN: Final = "worker|sink-postgres|outbox"
_ASIDE: Final = "api|drift|sink-prometheus|sink-readings|sink-shadow"


def table(settings: Settings) -> tuple[Alert, ...]:
    """All alerts, in the order of the runbook."""
    return (
        *_machines(settings),
        *_processes(),
        *_flow(settings),
        *_losses(settings),
        *burning(settings),
        *_models(settings),
    )


def _machines(settings: Settings) -> Iterator[Alert]:
    incidents, silent = metrics.OPEN_INCIDENTS.name, metrics.SILENT_MACHINES.name
    minutes = settings.streamlit.silent_after_sec / 60
    for name, severity, words in (
        ("MachineCritical", Severity.CRITICAL, "a critical incident"),
        ("MachineIncident", Severity.WARNING, "an incident"),
    ):
        chosen = f'{incidents}{{severity="{severity.value}",state="open"}}'
        yield Alert(
            name=name,
            scope="machine",
            severity=severity,
            expr=f"max({chosen}) > 0",
            wait_min=0,
            summary=f"Machines with {words} that nobody has acknowledged: {{{{ $value }}}}",
            description="Several verdicts of a machine's last ones are anomalous. It ends when "
            "each such incident is acknowledged or over.",
            dashboard=Dashboard.FLOOR,
            case=Case({chosen: gauge(0, 3)}, value="3"),
            hidden_by=BLIND,
        )
    yield Alert(
        name="MachinesSilent",
        scope="machine",
        severity=Severity.WARNING,
        # While their sink is down no reading is stored, and all machines look silent.
        expr=f'max({silent}) > 0 and on () max(up{{job="sink-readings"}}) == 1',
        wait_min=2,
        summary="Machines that send nothing: {{ $value }}",
        description=f"No reading of theirs came in for {minutes:g} minutes, and nobody has planned "
        "maintenance.",
        dashboard=Dashboard.FLOOR,
        case=Case({silent: gauge(0, 4), 'up{job="sink-readings"}': "1x200"}, value="4"),
        hidden_by=BLIND,
    )


def _processes() -> Iterator[Alert]:
    for name, severity, jobs, job, wait in (
        ("PipelineDown", Severity.CRITICAL, _CHAIN, "worker", 1),
        ("ProcessDown", Severity.WARNING, _ASIDE, "sink-shadow", 5),
    ):
        labels = {"job": job, "instance": "127.0.0.1:9101"}
        series = f'up{{job="{job}",instance="127.0.0.1:9101"}}'
        yield Alert(
            name=name,
            scope="pipeline",
            severity=severity,
            expr=f'up{{job=~"{jobs}"}} == 0',
            wait_min=wait,
            summary="{{ $labels.job }} at {{ $labels.instance }} does not answer",
            description="Readings wait in Kafka meanwhile, and nothing is lost while it keeps them."
            if severity is Severity.CRITICAL
            else "Readings are scored and incidents open as always; this one's part is missing.",
            dashboard=Dashboard.PIPELINE,
            case=Case({series: gauge(1, 0)}, labels=labels),
            lingers=name not in BLIND,
        )


def _flow(settings: Settings) -> Iterator[Alert]:
    alerts, readings = settings.alerts, f"{metrics.READINGS.name}_total"
    lag, sink_lag = f'{metrics.LAG.name}{{partition="0"}}', metrics.SINK_LAG.name
    stored = f'{metrics.STORED_LATENCY.name}_bucket{{job="sink-postgres",le='
    yield Alert(
        name="NoProgress",
        scope="pipeline",
        severity=Severity.CRITICAL,
        expr=f"sum({metrics.LAG.name}) > 0 unless sum(rate({readings}[2m])) > 0",
        wait_min=2,
        summary="Readings wait and none is finished: {{ $value }}",
        description="The worker answers, and does no work.",
        dashboard=Dashboard.PIPELINE,
        case=Case(
            {lag: gauge(0, 100), f'{readings}{{class="scored"}}': work(600)}, after=1, value="100"
        ),
        hidden_by=("PipelineDown",),
        lingers=False,
    )
    yield Alert(
        name="WorkerBehind",
        scope="pipeline",
        severity=Severity.WARNING,
        expr=f"plantwatch:lag_readings:sum > {alerts.lag_readings}",
        wait_min=5,
        summary="Readings not yet scored: {{ $value }}",
        description="More come in than are scored, or a backlog is being worked off.",
        dashboard=Dashboard.PIPELINE,
        case=Case({lag: gauge(0, alerts.lag_readings + 1)}, value=str(alerts.lag_readings + 1)),
        hidden_by=BLIND,
    )
    yield Alert(
        name="SinkBehind",
        scope="pipeline",
        severity=Severity.WARNING,
        expr=f"sum by (sink) ({sink_lag}) > {alerts.lag_messages}",
        wait_min=5,
        summary="Messages that the sink {{ $labels.sink }} has not stored yet: {{ $value }}",
        description="PostgreSQL is away or slow, or more comes in than one sink stores.",
        dashboard=Dashboard.PIPELINE,
        case=Case(
            {f'{sink_lag}{{sink="postgres",partition="0"}}': gauge(0, alerts.lag_messages + 1)},
            labels={"sink": "postgres"},
            value=str(alerts.lag_messages + 1),
        ),
        hidden_by=("PipelineDown",),
    )
    yield Alert(
        name="VerdictsSlow",
        scope="pipeline",
        severity=Severity.WARNING,
        expr=f"plantwatch:publish_to_stored_seconds:p99_5m > {alerts.p99_sec:g}",
        wait_min=5,
        summary=f"Of 100 verdicts more than one is stored later than after {alerts.p99_sec:g} s",
        description="Counted from the reading's arrival in Kafka, over the last five minutes.",
        dashboard=Dashboard.PIPELINE,
        case=Case(
            {
                f'{stored}"{alerts.latency_sec}"}}': work(600),
                f'{stored}"{metrics.LATENCY_BUCKETS[-1]}"}}': "0+600x230",
                f'{stored}"+Inf"}}': "0+600x230",
            },
            until=4,
        ),
        hidden_by=(*BLIND, "WorkerBehind", "SinkBehind", "LatencyBurnsFast"),
    )
    yield Alert(
        name="OutboxStuck",
        scope="pipeline",
        severity=Severity.WARNING,
        expr=f"max({metrics.OUTBOX.name}) > 0",
        wait_min=5,
        summary="Moves of incidents wait to be published: {{ $value }}",
        description="Kafka does not take them; subscribers of `incidents` hear nothing meanwhile.",
        dashboard=Dashboard.PIPELINE,
        case=Case({metrics.OUTBOX.name: gauge(0, 5)}, value="5"),
    )


def _losses(settings: Settings) -> Iterator[Alert]:
    readings, unaccounted = f"{metrics.READINGS.name}_total", metrics.UNACCOUNTED.name
    rows, retries = f"{metrics.SINK_ROWS.name}_total", f"{metrics.SINK_RETRIES.name}_total"
    truncated = f"{metrics.HISTORY_TRUNCATED.name}_total"
    yield Alert(
        name="NotBalanced",
        scope="pipeline",
        severity=Severity.CRITICAL,
        expr=f"sum(abs({unaccounted})) > 0",
        wait_min=1,
        summary="Readings in no class, or in two: {{ $value }}",
        description="Every offset that the worker has passed must be in exactly one class. It is a "
        "defect of the worker.",
        dashboard=Dashboard.PIPELINE,
        case=Case({f'{unaccounted}{{partition="0"}}': gauge(0, -2)}, value="2"),
    )
    yield Alert(
        name="DeadLetters",
        scope="pipeline",
        severity=Severity.WARNING,
        expr=f'sum by (class) (increase({readings}{{class=~"conflict|late|rejected"}}[10m])) > 0',
        wait_min=0,
        summary="Readings go to the dead letters: {{ $labels.class }}",
        description="They are kept with their reason and can be replayed; good ones go on.",
        dashboard=Dashboard.PIPELINE,
        case=Case(
            {f'{readings}{{class="rejected"}}': fault(1)}, until=9, labels={"class": "rejected"}
        ),
    )
    yield Alert(
        name="RowsRefused",
        scope="pipeline",
        severity=Severity.WARNING,
        expr=f'sum by (sink) (increase({rows}{{result="refused"}}[10m])) > 0',
        wait_min=0,
        summary="PostgreSQL refuses rows of the sink {{ $labels.sink }}",
        description="They are dead letters now; the rows beside them are stored.",
        dashboard=Dashboard.PIPELINE,
        case=Case(
            {f'{rows}{{sink="postgres",result="refused"}}': fault(1)},
            until=9,
            labels={"sink": "postgres"},
        ),
    )
    yield Alert(
        name="SinkRetrying",
        scope="pipeline",
        severity=Severity.WARNING,
        expr=f"sum by (sink) (rate({retries}[5m])) > {settings.alerts.retries_per_sec:g}",
        wait_min=5,
        summary="The sink {{ $labels.sink }} tries its writes again and again",
        description="PostgreSQL is away, locked or too slow; what is not stored waits in Kafka.",
        dashboard=Dashboard.PIPELINE,
        case=Case(
            # Each minute as many as are allowed in ten: seen at once, and until the last is out.
            {
                f'{retries}{{sink="postgres",why="08"}}': fault(
                    round(600 * settings.alerts.retries_per_sec)
                )
            },
            until=4,
            labels={"sink": "postgres"},
        ),
    )
    yield Alert(
        name="HistoryTruncated",
        scope="pipeline",
        severity=Severity.WARNING,
        expr=f"sum(increase({truncated}[15m])) > 0",
        wait_min=0,
        summary="Readings that a worker needed at its start had expired",
        description="Some machines begin again without history, and warm up.",
        dashboard=Dashboard.PIPELINE,
        case=Case({truncated: fault(1)}, until=14),
    )


def _drift(settings: Settings) -> Iterator[Alert]:
    drifting, unseen = metrics.DRIFTING.name, f"{metrics.UNSEEN_REGIME.name}_total"
    verdicts, share = f"{metrics.VERDICTS.name}_total", settings.alerts.unseen_regimes
    yield Alert(
        name="SensorDrifts",
        scope="model",
        severity=Severity.WARNING,
        expr=f"max by (sensor) ({drifting}) > 0",
        wait_min=0,
        summary="Sensor {{ $labels.sensor }} of the fleet drifts from the training data",
        description="Not one machine's wear: what the other sensors do not explain of it has moved "
        "on all of them.",
        dashboard=Dashboard.MODELS,
        case=Case({f'{drifting}{{sensor="7"}}': gauge(0, 1)}, labels={"sensor": "7"}),
    )
    yield Alert(
        name="UnseenRegime",
        scope="model",
        severity=Severity.WARNING,
        expr=f"sum(rate({unseen}[30m])) / sum(rate({verdicts}[30m])) > {share:g}",
        wait_min=5,
        summary=f"More than {share:.0%} of the verdicts are of regimes that training never saw",
        description="Their scores mean little, high or low.",
        dashboard=Dashboard.MODELS,
        case=Case({unseen: fault(600), f'{verdicts}{{outcome="normal"}}': "0+600x230"}, until=29),
    )


def _models(settings: Settings) -> Iterator[Alert]:
    alerts = settings.alerts
    contact, refused = metrics.REGISTRY_CONTACT.name, f"{metrics.MODELS_REFUSED.name}_total"
    trained = metrics.MODEL_TRAINED.name
    differs = f"{metrics.SHADOW_DISAGREEMENTS.name}_total"
    judged = f'{metrics.SHADOW_WINDOWS.name}_total{{result="scored"}}'
    yield from _drift(settings)
    yield Alert(
        name="ModelStale",
        scope="model",
        severity=Severity.WARNING,
        expr=f"time() - max({trained}) > {alerts.stale_days} * 86400",
        wait_min=0,
        summary=f"The model in use was trained more than {alerts.stale_days} days ago",
        description="Machines and their ends of life since are unknown to it.",
        dashboard=Dashboard.MODELS,
        case=Case({trained: gauge(0, -86400 * alerts.stale_days)}),
    )
    minutes = round(alerts.registry_silent_sec / 60)
    yield Alert(
        name="RegistrySilent",
        scope="model",
        severity=Severity.WARNING,
        expr=f"time() - max({contact}) > {alerts.registry_silent_sec:g}",
        wait_min=0,
        summary=f"The model registry has not answered for {minutes} minutes",
        description="The models fetched last go on; moved aliases are not heard of.",
        dashboard=Dashboard.MODELS,
        case=Case(
            # The last contact is of minute 9.
            {contact: f"0+60x9 540x{minutes + 19} {60 * (minutes + 30)}+60x60"},
            broken=minutes + 10,
            mended=minutes + 30,
        ),
    )
    yield Alert(
        name="ModelRefused",
        scope="model",
        severity=Severity.WARNING,
        expr=f"sum by (role) (increase({refused}[1h])) > 0",
        wait_min=0,
        summary="The {{ $labels.role }} model that the registry names cannot be used",
        description="It is damaged, does not fit, or is too slow; what ran before goes on.",
        dashboard=Dashboard.MODELS,
        case=Case(
            {f'{refused}{{role="production"}}': fault(1)}, until=59, labels={"role": "production"}
        ),
    )
    yield Alert(
        name="ShadowDisagrees",
        scope="model",
        severity=Severity.WARNING,
        expr=f"sum(rate({differs}[1h])) / sum(rate({judged}[1h])) > {alerts.disagreement:g}",
        wait_min=30,
        summary=f"The challenger differs from production on more than {alerts.disagreement:.0%} of "
        "the windows",
        description="It may be better or worse; do not promote it unseen.",
        dashboard=Dashboard.MODELS,
        case=Case(
            {differs: fault(600, mended=60), judged: "0+600x260"},
            mended=60,
            until=round(60 - 60 * alerts.disagreement) - 1,
        ),
    )
