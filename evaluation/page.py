"""The report as one HTML page: it needs no other file and no network."""

import base64
import io
from collections.abc import Iterable
from html import escape
from typing import Any, Final

from matplotlib.figure import Figure

from evaluation.figures import overview, sheet
from evaluation.play import Played
from plantwatch.settings import Settings

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430; margin: 2rem auto; max-width: 75rem;
       padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #e3e6ea; }
th:first-child, td:first-child { text-align: left; }
th { border-bottom: 2px solid #1c2430; }
tr.peer td { color: #6a717c; }
img { max-width: 100%; } code { background: #f2f4f6; padding: .1rem .3rem; }
.note { background: #fff6dd; padding: .3rem .7rem; margin: .3rem 0; } p { max-width: 55rem; }
"""
_LEVELS: Final = (
    "U: no labels but to choose normal rows and the threshold; W: also where each fit engine's "
    "life ended; S: fitted on labels. Grey rows are what others use, fitted on the same windows. "
    "Thresholds and confidence of the models are chosen on fit and validation engines, those "
    "of grey rows on validation engines alone: neighbours and trees know the fit engines by heart."
)


def page(played: Played, document: dict[str, Any], settings: Settings) -> str:
    """`document`, as `evaluation.report.report` made it of `played`, with pictures."""
    what = "official test" if document["protocol"] == "official" else "held-out engines"
    title = f"{document['dataset']}, {what}"
    made_by = f"<code>{escape(document['command'])}</code>"
    about = f"{escape(document['source'])}. {escape(_protocol(document))} Made by {made_by}."
    parts = [
        f"<h1>plantwatch: {escape(title)}</h1>",
        f"<p>{about}</p><p>{escape(_LEVELS)}</p>",
        *(f'<p class="note">{escape(remark)}</p>' for remark in document["remarks"]),
        _image(overview(document), "F1 of every detector"),
        "<h2>Windows</h2>",
        _table(_WINDOWS, _window_cells(document)),
        "<h2>Alarms and confidence</h2>",
        f"<p>{escape(_alarms(document, settings))}</p>",
        _table(_EVENTS, _event_cells(document)),
        "<h2>Alarm budget</h2>",
        f"<p>{escape(_budget(document))}</p>",
        _table(_BUDGET, _budget_cells(document)),
        *_sheets(played, document, settings),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    body = "\n".join(parts)
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'


_WINDOWS: Final = (
    *("", "", "F1 (sd)", "95 %", "precision", "recall", "AUC-ROC", "AUC-PR"),
    *("F1, RUL < 20", "< 50", "fit s", "&micro;s/window", "MB"),
)
_EVENTS: Final = (
    *("", "rule", "engines", "on time", "early", "late", "lead p50", "p10"),
    *("alarmed rows/1000", "false alarms/1000", "ECE", "Brier"),
)
_BUDGET: Final = (
    *("", "rules chosen", "on validation", "achieved", "95 %", "per machine-week"),
    *("on time", "lead p50", "p10"),
)

Rows = list[tuple[bool, list[str]]]
"""Whether it is a peer's, and its cells."""


def _window_cells(document: dict[str, Any]) -> Rows:
    rows: Rows = []
    for row in document["rows"]:
        others = [v["f1_mean"] for k, v in row["labels"].items() if k != str(document["label_rul"])]
        cells = [
            row["supervision"],
            f"{row['f1_mean']:.3f} ({row['f1_sd']:.3f})",
            f"{row['f1_low']:.2f}&ndash;{row['f1_high']:.2f}",
            *(_number(row.get(name), 3) for name in ("precision", "recall")),
            *(_number(row.get(name), 4) for name in ("auc_roc", "auc_pr")),
            *(_number(value, 3) for value in (others[0], others[-1])),
            _number(row["fit_seconds"], 1),
            _number(row["us_per_window"], 0),
            _number(row["size_mb"], 2),
        ]
        rows.append((row["peer"], [_name(row), *cells]))
    return rows


def _event_cells(document: dict[str, Any]) -> Rows:
    peers, calibration = _peers(document), {one["model"]: one for one in document["calibration"]}
    rows: Rows = []
    for one in document["events"]:
        watched = one["engines"]
        known = calibration[one["model"]]
        cells = [
            one["rule"],
            str(watched),
            f"{one['on_time_share']:.1%}" if watched else "-",
            *(str(one[name]) if watched else "-" for name in ("early", "late_or_missed")),
            *(_number(one[k], 0) if watched else "-" for k in ("lead_median", "lead_p10")),
            _number(one["alarmed_per_1000_healthy"], 2),
            _number(one["false_alarms_per_1000_healthy"], 2),
            _number(known["ece"], 4),
            _number(known["brier"], 4),
        ]
        rows.append((one["model"] in peers, [_name(one), *cells]))
    return rows


def _budget_cells(document: dict[str, Any]) -> Rows:
    peers = _peers(document)
    rows: Rows = []
    for one in document["budget"]:
        watched = one["engines"]
        cells = [
            ", ".join(one["rules"]),
            _number(one["validation_per_1000_cycles"], 2),
            _number(one["achieved_per_1000_cycles"], 2),
            f"{one['achieved_low']:.2f}&ndash;{one['achieved_high']:.2f}",
            _number(one["achieved_per_machine_week"], 3),
            f"{one['on_time_share']:.1%}" if watched else "-",
            *(_number(one[k], 0) if watched else "-" for k in ("lead_median", "lead_p10")),
        ]
        rows.append((one["model"] in peers, [_name(one), *cells]))
    return rows


def _protocol(document: dict[str, Any]) -> str:
    return (
        f"Failing means fewer than {document['label_rul']} cycles left. Figures are means of "
        f"{document['seeds']} seed{'s' if document['seeds'] > 1 else ''}, (sd) between seeds."
    )


def _alarms(document: dict[str, Any], settings: Settings) -> str:
    latest, earliest = settings.evaluation.on_time
    binning = document["calibration"][0]["binning"]
    return (
        f"An engine counts if it was watched until {latest} cycles before its failure; it is on "
        f"time if its first alarm comes {latest} to {earliest} cycles before, early if sooner. "
        f"False alarms and alarmed rows are those with more than {earliest} cycles left, per 1000 "
        f"such rows. ECE and Brier are those of confidence; ECE over {binning}."
    )


def _budget(document: dict[str, Any]) -> str:
    first = document["budget"][0]
    return (
        f"At most {first['wanted_per_1000_cycles']:g} false alarms per 1000 healthy cycles: "
        "threshold and rule are chosen on validation engines, then looked at on the judged ones; "
        "the interval is the exact one of a Poisson count. Validation has "
        f"{first['validation_healthy_cycles']:,} healthy cycles a trial: what is rarer than once "
        "in those cannot be told from never, and is overspent."
    )


def _sheets(played: Played, document: dict[str, Any], settings: Settings) -> Iterable[str]:
    calibration = {one["model"]: one for one in document["calibration"]}
    sweeps = {one["model"]: one["points"] for one in document["sweeps"]}
    for one in played.players:
        if not one.peer:
            figure = sheet(
                played.by_seed(one.name), calibration[one.name], sweeps[one.name], settings
            )
            name = one.name.replace("_", " ")
            yield f"<h2>{escape(name)}</h2>{_image(figure, name)}"


def _table(columns: Iterable[str], rows: Rows) -> str:
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(
        f"<tr{' class=peer' if peer else ''}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for peer, cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _image(figure: Figure, alt: str) -> str:
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=110)
    content = base64.b64encode(png.getvalue()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{content}">'


def _peers(document: dict[str, Any]) -> set[str]:
    return {row["model"] for row in document["rows"] if row["peer"]}


def _name(row: dict[str, Any]) -> str:
    return escape(row["model"].replace("_", " "))


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:,.{decimals}f}"
