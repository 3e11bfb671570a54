"""The incidents that the judged engines would have opened, by the stream's own rule."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from evaluation.judgement import Judgement
from plantwatch.incidents import CALM, follow
from plantwatch.instants import to_iso
from plantwatch.messages import IncidentRule, ScoreEvent


def leads(judged: Judgement, rule: IncidentRule) -> list[tuple[int, ...]]:
    """For each engine, the cycles that it had left when its incidents opened, the first one first.

    Only engines that were watched to their end can have one incident too few: give run-to-failure
    ones.
    """
    return [_leads(judged, rows, rule) for rows in _lives(judged)]


def summary(every: list[tuple[int, ...]], healthy_rul: int) -> dict[str, Any]:
    """Of the `leads` of all engines: how many had one incident, several or none.

    `on_healthy` counts incidents that opened with more than `healthy_rul` cycles left; median and
    p10 are of each engine's first incident.
    """
    first = [leads[0] for leads in every if leads] or [0]
    return {
        "engines": len(every),
        "with_one": sum(len(leads) == 1 for leads in every),
        "with_several": sum(len(leads) > 1 for leads in every),
        "with_none": sum(not leads for leads in every),
        "on_healthy": sum(lead > healthy_rul for leads in every for lead in leads),
        "lead_median": float(np.median(first)),
        "lead_p10": float(np.quantile(first, 0.1)),
    }


def _lives(judged: Judgement) -> Iterator[range]:
    """The rows of each engine, which stand together in the order of time."""
    begins = np.flatnonzero(np.diff(judged.engine, prepend=-1))
    for start, end in zip(begins, [*begins[1:], len(judged.engine)], strict=True):
        yield range(start, end)


def _leads(judged: Judgement, rows: range, rule: IncidentRule) -> tuple[int, ...]:
    followed = follow(CALM, (_event(judged, row) for row in rows), rule)
    return tuple(int(judged.rul[one.opened_cycle]) for one in followed.incidents)


def _event(judged: Judgement, row: int) -> ScoreEvent:
    """The verdict as the stream would publish it; its cycle is the row."""
    return ScoreEvent(
        id=str(row),
        sensor_id=str(judged.engine[row]),
        cycle=row,
        event_time=to_iso(1_000_000 * row),
        anomaly_score=float(judged.verdicts.anomaly_score[row]),
        is_anomaly=bool(judged.verdicts.is_anomaly[row]),
        confidence=float(judged.verdicts.confidence[row]),
        raw=float(judged.verdicts.raw[row]),
        model_version="",
        model_digest="",
        partition=0,
        offset=row,
        first_offset=row,
        published_at=0,
    )
