"""The pipeline: is every reading accounted for, how fast, and what stands in the way."""

from typing import Final

from grafana.queries import annotations
from grafana.queries import pipeline as q
from grafana.spec import Board, Panel, Row, Variable, green_below
from plantwatch.dashboards import Dashboard
from plantwatch.settings import Settings

_NONE_AT_ALL: Final = green_below(1, "red")


def pipeline(settings: Settings) -> Board:
    return Board(
        uid=Dashboard.PIPELINE,
        title="plantwatch: pipeline",
        description="Every reading is accounted for, and how fast: worker, sinks, producers.",
        rows=(
            Row("Accounting", _accounting()),
            Row("Speed", _speed(settings)),
            Row("Sinks", _sinks(settings)),
            Row("What went wrong", _trouble()),
        ),
        variables=(
            Variable(
                "instance",
                "Worker",
                "Whose readings and lag.",
                "prometheus",
                q.WORKERS,
                multi=True,
                everything=".*",
            ),
        ),
        annotations=annotations.OF_THE_FLEET,
        since="now-1h",
    )


def _accounting() -> tuple[Panel, ...]:
    return (
        Panel(
            1,
            "Unaccounted readings",
            "Readings received less those that are scored, warm_up, duplicate, conflict, late or "
            "rejected, since the group of workers began. 0, or readings are being lost: run "
            "`plantwatch ledger`.",
            "stat",
            "short",
            (q.UNACCOUNTED,),
            _NONE_AT_ALL,
            width=6,
        ),
        Panel(
            2,
            "Readings by class",
            "What became of the readings since the workers started; the classes exclude each "
            "other.",
            "bargauge",
            "short",
            (q.CLASS_TOTALS,),
            width=6,
        ),
        Panel(
            3,
            "Throughput",
            "Readings finished in a second, by class.",
            "timeseries",
            "reqps",
            (q.CLASSES,),
            width=6,
        ),
        Panel(
            4,
            "Published",
            "Readings that Kafka acknowledged to the producers of plantwatch; others are not seen.",
            "timeseries",
            "reqps",
            (q.PRODUCED,),
            width=6,
        ),
    )


def _speed(settings: Settings) -> tuple[Panel, ...]:
    latency = green_below(settings.alerts.p99_sec, "red")
    return (
        Panel(
            5,
            "Publication to verdict",
            "From Kafka's timestamp of a reading to its verdict: half, 95 % and 99 % are faster.",
            "timeseries",
            "s",
            q.VERDICT_LATENCY,
            latency,
        ),
        Panel(
            6,
            "Publication to stored row",
            "From Kafka's timestamp of a reading to the commit of its verdict's row.",
            "timeseries",
            "s",
            q.STORED_LATENCY,
            latency,
        ),
        Panel(
            7,
            "Lag by partition",
            "Readings that wait for a worker. One partition alone: a machine that sends too much, "
            "or a worker that hangs. All of them: too few workers.",
            "timeseries",
            "short",
            (q.LAG,),
            green_below(settings.alerts.lag_readings, "red"),
        ),
        Panel(
            8,
            "Time for a chunk",
            "Decoding, scoring and emitting one chunk: 99 % take less.",
            "timeseries",
            "s",
            (q.CHUNK_LATENCY,),
            latency,
        ),
        Panel(
            9,
            "Size of chunks",
            "Readings in a chunk, on average; it grows when workers are behind.",
            "timeseries",
            "short",
            (q.CHUNK_SIZE,),
        ),
        Panel(
            10,
            "Machines known",
            "Machines of which the workers hold history.",
            "stat",
            "short",
            (q.KNOWN_MACHINES,),
        ),
    )


def _sinks(settings: Settings) -> tuple[Panel, ...]:
    return (
        Panel(
            11,
            "Rows",
            "Rows in a second by sink and result. Known: written before, after a restart. Passed "
            "over: not for this store.",
            "timeseries",
            "wps",
            (q.SINK_ROWS,),
        ),
        Panel(
            12,
            "Messages not yet written",
            "Lag of each sink, all its partitions together.",
            "timeseries",
            "short",
            (q.SINK_LAG,),
            green_below(settings.alerts.lag_messages, "red"),
        ),
        Panel(
            13,
            "Retries and refusals",
            "Writes tried again, by the class of PostgreSQL's SQLSTATE, and rows that it refused "
            "for good: those are dead letters.",
            "timeseries",
            "short",
            (q.SINK_RETRIES, q.REFUSED),
            _NONE_AT_ALL,
        ),
        Panel(
            14,
            "Rows in a batch",
            "Half of the batches are smaller.",
            "timeseries",
            "short",
            (q.BATCHES,),
        ),
        Panel(
            15,
            "Outbox",
            "Moves of incidents that are being published. Above 0 for long: Kafka is away, and "
            "nobody is told of incidents.",
            "timeseries",
            "short",
            (q.OUTBOX,),
            green_below(1, "yellow"),
        ),
        Panel(
            22,
            "Processes",
            "Whether each process answers Prometheus: 1, or 0. A producer answers only while it "
            "replays.",
            "timeseries",
            "short",
            (q.UP,),
            ((None, "red"), (1, "green")),
            low=0,
            high=1,
        ),
    )


def _trouble() -> tuple[Panel, ...]:
    return (
        Panel(
            16,
            "Dead letters",
            "Readings that went no further: conflict (seen before with other values), late, "
            "rejected. `plantwatch dlq list` shows them.",
            "timeseries",
            "short",
            (q.DEAD_LETTERS,),
            _NONE_AT_ALL,
        ),
        Panel(
            17,
            "Rejected by reason",
            "Why readings were no valid ones, or could not be scored.",
            "timeseries",
            "short",
            (q.REJECTS,),
            _NONE_AT_ALL,
        ),
        Panel(
            18,
            "Take-overs of partitions",
            "Workers that came, went or were restarted; each means a pause of some seconds.",
            "timeseries",
            "short",
            (q.REBALANCES,),
            green_below(1, "yellow"),
        ),
        Panel(
            19,
            "Read back",
            "Readings in a second read again to rebuild the state after a take-over; while it is "
            "above 0 the worker recovers and its partitions wait.",
            "timeseries",
            "reqps",
            (q.READ_BACK,),
        ),
        Panel(
            20,
            "Take-overs without history",
            "Take-overs that found needed readings expired: some machines warm up once more.",
            "stat",
            "short",
            (q.TRUNCATED,),
            _NONE_AT_ALL,
        ),
        Panel(
            21,
            "Producer's waits",
            "Times that a producer waited because its queue was full: Kafka is too slow for it.",
            "timeseries",
            "short",
            (q.PRODUCE_RETRIES,),
        ),
    )
