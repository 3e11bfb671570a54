"""A contestant's outcomes as numbers: its row of the table, events, calibration, budget, sweep."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from evaluation import incidents
from evaluation.judgement import Judgement, judgement
from evaluation.outcome import Outcome
from plantwatch.settings import Settings
from training.budget import WEEK_HOURS, choose, per_1000_cycles, rate_interval, spend
from training.dataset import Scored
from training.events import Events, alarmed, events
from training.metrics import intervals, reliability, row_metrics

SHARES: Final = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3)
"""Contaminations of the sweep: shares of validation windows called anomalous."""

Seeds = Sequence[Sequence[Outcome]]
"""The outcomes of each seed's trials."""


def row(seeds: Seeds, settings: Settings) -> dict[str, Any]:
    """Row metrics: mean and standard deviation over seeds, mean ends of the 95 % intervals."""
    flat = [one for trials in seeds for one in trials]
    sizes = [one.size_mb for one in flat if one.size_mb is not None]
    return {
        "supervision": flat[0].supervision,
        **_metrics(_judged(seeds, settings), settings),
        "labels": {
            str(other): _spread("f1", [_f1(judgement(list(one), other, settings)) for one in seeds])
            for other in settings.evaluation.label_ruls
        },
        "fit_seconds": round(float(np.mean([one.fit_seconds for one in flat])), 2),
        "us_per_window": round(float(np.median([one.us_per_window for one in flat])), 1),
        "size_mb": round(float(np.mean(sizes)), 4) if sizes else None,
    }


def event_rows(seeds: Seeds, settings: Settings) -> list[dict[str, Any]]:
    """Events under each alarm rule, every seed's engines taken together."""
    judged = _judged(seeds, settings)
    return [
        {"rule": str(rule)}
        | _together(
            events(
                alarmed(one.verdicts.is_anomaly, one.engine, rule),
                one.engine,
                one.rul,
                settings.evaluation.on_time,
            )
            for one in judged
        ).summary()
        for rule in settings.evaluation.alarm_rules
    ]


def incident_row(seeds: Seeds, settings: Settings) -> dict[str, Any]:
    """Incidents under the configured rule, every seed's engines taken together."""
    leads = [
        each
        for one in _judged(seeds, settings)
        for each in incidents.leads(one, settings.anomaly.rule())
    ]
    return {"rule": str(settings.anomaly.alarm)} | incidents.summary(
        leads, settings.evaluation.on_time[1]
    )


def calibration(seeds: Seeds, settings: Settings) -> dict[str, Any]:
    """How true `confidence` is, every seed's windows taken together; `bins` those with windows."""
    judged = _judged(seeds, settings)
    bins = settings.evaluation.calibration_bins
    seen = reliability(
        np.concatenate([one.verdicts.confidence for one in judged]),
        np.concatenate([one.failing for one in judged]),
        bins,
    )
    return {
        "ece": round(seen.ece, 5),
        "brier": round(seen.brier, 5),
        "binning": f"{bins} bins of equal width",
        "bins": [
            {
                "windows": int(seen.windows[i]),
                "confidence": round(float(seen.confidence[i]), 4),
                "failing": round(float(seen.failing[i]), 4),
            }
            for i in np.flatnonzero(seen.windows)
        ],
    }


def budget(seeds: Seeds, settings: Settings) -> dict[str, Any]:
    """What keeping to the alarm budget on validation engines comes to on the judged ones."""
    flat = [one for trials in seeds for one in trials]
    on_time, wanted = settings.evaluation.on_time, settings.alarm_budget
    choices = [choose(one.validation, wanted, on_time) for one in flat]
    spent = _together(
        spend(one.test, choice, on_time) for one, choice in zip(flat, choices, strict=True)
    )
    low, high = rate_interval(spent.false_alarms / len(seeds), spent.healthy_rows / len(seeds))
    summary = spent.summary()
    week = WEEK_HOURS / wanted.cycle_hours / 1000
    rate = summary["false_alarms_per_1000_healthy"]
    return {
        "wanted_per_1000_cycles": round(per_1000_cycles(wanted), 3),
        "validation_healthy_cycles": round(
            float(np.mean([(one.validation.rul > on_time[1]).sum() for one in flat]))
        ),
        "validation_per_1000_cycles": round(float(np.mean([one.rate for one in choices])), 3),
        "achieved_per_1000_cycles": rate,
        "achieved_low": round(low, 3),
        "achieved_high": round(high, 3),
        "achieved_per_machine_week": round(rate * week, 3),
        "rules": sorted({str(one.rule) for one in choices}),
        "thresholds": [round(one.threshold, 5) for one in choices],
        **{name: summary[name] for name in ("engines", "on_time_share", "lead_median", "lead_p10")},
    }


def sweep(seeds: Seeds, settings: Settings) -> list[dict[str, float]]:
    """Contamination and threshold on validation, and what they give on the judged engines."""
    label = settings.anomaly.label_rul
    points = []
    for share in SHARES:
        tried = [_at(one, share, label) for trials in seeds for one in trials]
        means = {name: float(np.mean([one[name] for one in tried])) for name in tried[0]}
        points.append({"contamination": share} | {k: round(v, 4) for k, v in means.items()})
    return points


def _at(outcome: Outcome, share: float, label: int) -> dict[str, float]:
    threshold = float(np.quantile(outcome.validation.raw, 1 - share))
    names = ("f1", "precision", "recall")
    sides = {"validation_": outcome.validation, "": outcome.test}
    found = {
        f"{side}{name}": value
        for side, scored in sides.items()
        for name, value in zip(names, _rates(scored, threshold, label), strict=True)
    }
    return {"threshold": threshold} | found


def _rates(scored: Scored, threshold: float, label: int) -> tuple[float, float, float]:
    flagged, failing = scored.raw >= threshold, scored.rul < label
    hits, alarms, truths = (int(of.sum()) for of in (flagged & failing, flagged, failing))
    return 2 * hits / max(1, alarms + truths), hits / max(1, alarms), hits / max(1, truths)


def _judged(seeds: Seeds, settings: Settings) -> list[Judgement]:
    return [judgement(list(one), settings.anomaly.label_rul, settings) for one in seeds]


def _metrics(judged: list[Judgement], settings: Settings) -> dict[str, Any]:
    values = [row_metrics(one.verdicts, one.failing) for one in judged]
    ends = [
        intervals(one.verdicts, one.failing, one.engine, settings.evaluation.bootstraps)
        for one in judged
    ]
    found: dict[str, Any] = {}
    for name in values[0]:
        low, high = np.mean([one[name] for one in ends], axis=0)
        found |= _spread(name, [one[name] for one in values])
        found |= {f"{name}_low": round(float(low), 4), f"{name}_high": round(float(high), 4)}
        found |= {name: found[f"{name}_mean"]}
    return found


def _spread(name: str, values: list[float]) -> dict[str, Any]:
    return {
        f"{name}_mean": round(float(np.mean(values)), 4),
        f"{name}_sd": round(float(np.std(values)), 4),
        f"{name}_seeds": [round(value, 4) for value in values],
    }


def _f1(judged: Judgement) -> float:
    return row_metrics(judged.verdicts, judged.failing)["f1"]


def _together(parts: Iterable[Events]) -> Events:
    every = list(parts)
    return Events(
        engines=sum(one.engines for one in every),
        on_time=sum(one.on_time for one in every),
        early=sum(one.early for one in every),
        leads=tuple(lead for one in every for lead in one.leads),
        healthy_rows=sum(one.healthy_rows for one in every),
        alarmed_healthy_rows=sum(one.alarmed_healthy_rows for one in every),
        false_alarms=sum(one.false_alarms for one in every),
    )
