"""`plantwatch drift`: how far the fleet is from what its model was trained on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.chosen import configs_of
from commands.stopping import stop_signal
from commands.tables import show, table
from connections.kafka import await_topics
from connections.prometheus import Exporter
from models.cache import load, read_production
from models.card import read_artifact
from plantwatch.configuration import environment
from plantwatch.settings import Settings
from sinks.subscription import Subscription

if TYPE_CHECKING:
    from monitoring.drift_report import Column

app = typer.Typer()


@app.callback(invoke_without_command=True)
def drift(
    context: typer.Context,
    output: Annotated[Path, typer.Option(help="The page to write.")] = Path(
        ".local/drift/report.html"
    ),
) -> None:
    """Write a page that compares the newest verdicts and their sensors with the training data.

    Needs PostgreSQL with verdicts and readings (`make up`), and the data that the model in
    production was trained on. `plantwatch drift watch` looks for drift in the stream.

    \b
    plantwatch drift
    plantwatch drift --output drift.html

    Exit code 65: too few verdicts, or other data than the model's. 69: PostgreSQL is away.
    """
    if context.invoked_subcommand is not None:
        return
    settings = context.ensure_object(Settings)
    # Seconds to import, so only where they are needed.
    from data import load as load_fleet
    from monitoring import drift_report, drift_watch

    named = read_production(settings.model.cache)
    card = read_artifact(settings.model.cache / named.digest, named.digest)[0]
    reference = drift_watch.reference_of(card, named.model_version)
    current = drift_report.newest(settings, named.digest)
    configs = configs_of(context)
    fleet = load_fleet(card.trained_on.dataset, "train", environment(), configs)
    trained = drift_report.training_data(
        card, fleet, load(settings, named), settings.drift.report_rows
    )
    theirs, ours = (drift_report.frame(reference, judged) for judged in (trained, current))
    columns = drift_report.write(theirs, ours, output, settings.drift.report_distance)
    _print(columns, f"{named.model_version}, trained on {fleet.source}", len(current.score), output)


@app.command()
def watch(context: typer.Context) -> None:
    """Look for drift of the fleet in `readings`, until told to stop; tells Prometheus.

    A sensor drifts when the fleet's median of it, given the other sensors, leaves what healthy
    machines showed in training. What one machine does is no drift. Thresholds: section `drift` of
    configs/pipeline_config.yaml.
    """
    settings = context.ensure_object(Settings)
    from monitoring import drift_watch  # the stream's environment has no river

    stopping = stop_signal()
    exporter = Exporter()
    fleet = drift_watch.Fleet(settings, drift_watch.Gauges(exporter))
    # Kafka first: that the metrics are served is how a supervisor knows that we are at work.
    await_topics(settings, stopping)
    exporter.start(settings.metrics, settings.drift.metrics_port, "DRIFT_METRICS_PORT")
    subscription = Subscription(settings, settings.drift.group_id, settings.topics.readings)
    drift_watch.watch(
        settings, subscription=subscription, exporter=exporter, fleet=fleet, stopping=stopping
    )


def _print(columns: "list[Column]", model: str, rows: int, output: Path) -> None:
    far = [column for column in columns if column.drifts]
    distances = table("column", "distance from training, sd", right=(1,))
    for column in far:
        distances.add_row(column.name, f"{column.distance:.2f}")
    if far:
        show(distances)
    print(f"{len(far)} of {len(columns)} columns drift, {rows} verdicts of {model}: {output}")
