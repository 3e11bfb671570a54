"""The pictures of the report page: one sheet per model, and all detectors beside each other."""

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve

from evaluation.judgement import Judgement, judgement
from evaluation.outcome import Outcome
from evaluation.summary import Seeds
from plantwatch.settings import Settings
from training.calibrate import threshold_curve
from training.events import alarmed, events
from training.plots import draw_confusion, draw_thresholds

BLUE: Final = "#1f6fb4"
RED: Final = "#c4391d"
GREY: Final = "#8a8f98"
_LIFE: Final = 200
"""Cycles before failure that are shown."""


def overview(document: dict[str, Any]) -> Figure:
    """F1 of every detector with its interval, best first; peers in grey."""
    rows = sorted(document["rows"], key=lambda row: row["f1_mean"])
    figure = Figure(figsize=(9, 0.9 + 0.32 * len(rows)), layout="constrained")
    axes = figure.add_subplot(xlabel="F1 with its 95 % interval over engines", xlim=(0, 1))
    for place, row in enumerate(rows):
        colour = GREY if row["peer"] else BLUE
        axes.plot([row["f1_low"], row["f1_high"]], [place, place], color=colour, linewidth=3)
        axes.plot(row["f1_mean"], place, "o", color=colour, markersize=7)
        axes.annotate(
            f"{row['f1_mean']:.3f}",
            (row["f1_high"], place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    names = [f"{row['model'].replace('_', ' ')} ({row['supervision']})" for row in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def sheet(seeds: Seeds, calibration: dict[str, Any], sweep: Any, settings: Settings) -> Figure:
    """Eight pictures of one model; of single seeds it is the first, else all together."""
    judged = [judgement(list(one), settings.anomaly.label_rul, settings) for one in seeds]
    first = seeds[0][0]
    figure = Figure(figsize=(14, 7.2), layout="constrained")
    panels = figure.subplots(2, 4).ravel()
    _thresholds(panels[0], first, settings)
    _precision_recall(panels[1], judged)
    draw_confusion(panels[2], judged[0].verdicts.is_anomaly, judged[0].failing)
    panels[2].set_title("judged windows, first seed")
    _reliability(panels[3], calibration)
    _leads(panels[4], judged, settings)
    _life(panels[5], judged[0])
    _sensors(panels[6], first)
    _sweep(panels[7], sweep)
    return figure


def _thresholds(axes: Axes, outcome: Outcome, settings: Settings) -> None:
    scored = outcome.validation
    threshold = outcome.calibration.threshold or 0.0
    curve = threshold_curve(scored.raw, scored.rul < settings.anomaly.label_rul)
    draw_thresholds(axes, curve, threshold)
    low, high = np.quantile(scored.raw, [0.5, 0.995])
    axes.set(title="threshold, validation engines", xlim=(low, max(high, threshold)))


def _precision_recall(axes: Axes, judged: list[Judgement]) -> None:
    axes.set(title="precision and recall, each seed", xlabel="recall", ylabel="precision")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
    for one in judged:
        if one.failing.any():
            precision, recall, _ = precision_recall_curve(one.failing, one.verdicts.raw)
            axes.plot(recall, precision, color=BLUE, linewidth=1, alpha=0.7)
        flagged = one.verdicts.is_anomaly
        hits = (flagged & one.failing).sum()
        at = hits / max(1, one.failing.sum()), hits / max(1, flagged.sum())
        axes.plot(*at, "o", color=RED, markersize=6)
    axes.plot([], [], "o", color=RED, label="at the threshold")
    axes.legend(loc="lower left")


def _reliability(axes: Axes, calibration: dict[str, Any]) -> None:
    bins = calibration["bins"]
    axes.set(title="is confidence a probability?", xlabel="confidence", ylabel="share failing")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
    sizes = [20 + 40 * np.log10(one["windows"]) for one in bins]
    where = [one["confidence"] for one in bins]
    axes.plot(where, [one["failing"] for one in bins], color=BLUE, linewidth=1)
    axes.scatter(where, [one["failing"] for one in bins], s=sizes, color=BLUE)
    errors = f"ECE {calibration['ece']:.4f}\nBrier {calibration['brier']:.4f}"
    axes.text(0.04, 0.96, errors, va="top", transform=axes.transAxes)


def _leads(axes: Axes, judged: list[Judgement], settings: Settings) -> None:
    rule, on_time = settings.evaluation.alarm_rules[-1], settings.evaluation.on_time
    leads = [
        lead
        for one in judged
        for lead in events(
            alarmed(one.verdicts.is_anomaly, one.engine, rule), one.engine, one.rul, on_time
        ).leads
    ]
    axes.set(title=f"lead of the first alarm, {rule}", xlabel="cycles before failure")
    if not leads:
        _write_instead(axes, "no judged engine was\nwatched to its end")
        return
    axes.axvspan(*on_time, color=BLUE, alpha=0.08, label="on time")
    axes.hist(leads, bins=list(range(0, max(130, *leads) + 5, 5)), color=BLUE)
    axes.axvline(float(np.median(leads)), color=RED, label=f"median {np.median(leads):.0f}")
    axes.set(ylabel=f"of {len(leads)} engines (all seeds)", xlim=(0, max(130, *leads)))
    axes.legend()


def _life(axes: Axes, judged: Judgement) -> None:
    """Median and the middle 80 % of the score by cycles left, and a few engines."""
    axes.set(title="score over life, first seed", xlabel="cycles before failure")
    axes.set(ylabel="(raw - threshold) / scale", xlim=(_LIFE, 0))
    score, shown = judged.verdicts.raw, np.arange(_LIFE)
    bands = np.full((3, _LIFE), np.nan)
    for left in shown:
        at = score[judged.rul == left]
        if len(at) > 4:  # noqa: PLR2004 - of fewer a band says nothing
            bands[:, left] = np.quantile(at, [0.1, 0.5, 0.9])
    for engine in np.unique(judged.engine)[:4]:
        own = judged.engine == engine
        axes.plot(judged.rul[own], score[own], color=GREY, linewidth=0.6)
    axes.fill_between(shown, bands[0], bands[2], color=BLUE, alpha=0.25, label="middle 80 %")
    axes.plot(shown, bands[1], color=BLUE, linewidth=2, label="median")
    axes.axhline(0, color="black", linestyle=":", label="threshold")
    axes.axvline(judged.label_rul, color=RED, linewidth=0.8, label=f"RUL {judged.label_rul}")
    low, high = np.nanmin(bands), np.nanmax(bands)
    axes.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
    axes.legend(loc="upper left", fontsize=8)


def _sensors(axes: Axes, outcome: Outcome) -> None:
    axes.set_title("what each sensor adds to raw")
    if outcome.by_sensor is None:
        _write_instead(axes, "this network does not\nname its sensors")
        return
    place = np.arange(len(outcome.by_sensor["sensors"]))
    for shift, (name, colour) in enumerate((("healthy", GREY), ("failing", RED))):
        axes.bar(place + 0.4 * shift - 0.2, outcome.by_sensor[name], 0.4, color=colour, label=name)
    axes.set_xticks(place, [f"{number:.0f}" for number in outcome.by_sensor["sensors"]], fontsize=8)
    axes.set(xlabel="sensor", ylabel="mean contribution")
    axes.legend()


def _sweep(axes: Axes, points: list[dict[str, float]]) -> None:
    shares = [100 * one["contamination"] for one in points]
    axes.set(title="F1 by contamination", xlabel="% of validation windows flagged")
    for name, label, colour in (("validation_f1", "validation", GREY), ("f1", "judged", BLUE)):
        axes.plot(shares, [one[name] for one in points], "o-", color=colour, label=label)
    axes.set_ylim(0, 1.02)
    axes.legend(loc="lower right")


def _write_instead(axes: Axes, what: str) -> None:
    axes.text(0.5, 0.5, what, ha="center", va="center", color=GREY, transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])
