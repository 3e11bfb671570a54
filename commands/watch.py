"""`plantwatch watch`: the anomalies topic for people, live."""

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from itertools import islice
from typing import Annotated

import typer
from pydantic import ValidationError

from connections.tail import tail
from plantwatch.messages import ScoreEvent, score_event_from_bytes
from plantwatch.settings import Settings


def watch(
    context: typer.Context,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the oldest that Kafka keeps.")
    ] = False,
    count: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many; without it, on Ctrl-C.")
    ] = None,
) -> None:
    """Print anomalies as they come, each once: time, machine, cycle, score, confidence, model.

    \b
    plantwatch watch
    plantwatch watch --from-beginning --count 10
    """
    settings = context.ensure_object(Settings)
    values = tail(settings, settings.topics.anomalies, from_beginning=from_beginning)
    with closing(values), suppress(KeyboardInterrupt):
        for event in islice(_each_once(values), count):
            print(_line(event), flush=True)


def _each_once(values: Iterable[bytes]) -> Iterator[ScoreEvent]:
    """Verdicts by id: the topic is at least once, and the first message of an id counts."""
    seen: set[str] = set()
    for value in values:
        with suppress(ValidationError):  # not ours to judge here: sinks bury what is no verdict
            event = score_event_from_bytes(value)
            if event.id not in seen:
                seen.add(event.id)
                yield event


def _line(event: ScoreEvent) -> str:
    return (
        f"{event.event_time}  {event.sensor_id:<18} cycle {event.cycle:>4}  "
        f"score {event.anomaly_score:.3f}  confidence {event.confidence:.2f}  {event.model_version}"
    )
