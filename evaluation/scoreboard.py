"""The tables of README.md and docs/detection.md, from the JSON of evaluations.

Each number stands beside the command behind it.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

Document = dict[str, Any]

RULE: Final = "3 of 5"
"""The alarm rule that is shown, which is also that of the demo."""

_BEST: Final = (
    "| | | official F1 (sd) | 95 % | held-out F1 (sd) | 95 % | on time | early | median lead |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
_SCORES: Final = (
    "| | | official F1 (sd) | 95 % | AUC-ROC | AUC-PR | ECE | Brier | held-out F1 (sd) | 95 % |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)
_EVENTS: Final = (
    "| | | on time | early | median lead | p10 | alarmed rows per 1000 healthy "
    "| budget: false alarms per 1000 (95 %), wanted | its median lead |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
_TRANSFERS: Final = (
    "| | fitted on | judged on | F1 (sd) | 95 % | AUC-ROC | AUC-PR |\n|---|---|---|---|---|---|---|"
)


def best(documents: Iterable[Document]) -> Iterator[str]:
    """The best official F1 of each kind of detector, and what its alarms are worth."""
    yield _BEST
    for official, held_out in _pairs(documents):
        events = _events(held_out or {"events": []})
        firsts: dict[str, dict[str, Any]] = {}
        for _, row in _ranked(official or {"rows": []}):
            firsts.setdefault(_kind(row), row)
        for row in firsts.values():
            alarm = _event(events[row["model"]])[:3] if row["model"] in events else ["-"] * 3
            cells = [*_f1(row), *_held_out(held_out, row["model"]), *alarm]
            yield f"| {_name(official or {}, row)} | {' | '.join(cells)} |"


def scores(documents: Iterable[Document]) -> Iterator[str]:
    """Row metrics of both protocols, data set by data set, the best official F1 first."""
    yield _SCORES
    for official, held_out in _pairs(documents):
        for model, row in _ranked(official or held_out or {}):
            cells = [*_official(official, model), *_held_out(held_out, model)]
            yield f"| {_name(official or held_out or {}, row)} | {' | '.join(cells)} |"


def alarms(documents: Iterable[Document]) -> Iterator[str]:
    """Lead time against nuisance rate, of engines that ran to failure unseen."""
    yield _EVENTS
    for _, held_out in _pairs(documents):
        if held_out is not None:
            events = _events(held_out)
            budget = {one["model"]: one for one in held_out["budget"]}
            for model, row in _ranked(held_out):
                cells = [*_event(events[model]), *_budget(budget[model])]
                yield f"| {_name(held_out, row)} | {' | '.join(cells)} |"


def transfers(documents: Iterable[Document]) -> Iterator[str]:
    """Fitted on one kind of engines, judged on the other."""
    yield _TRANSFERS
    for document in documents:
        for row in sorted(document["rows"], key=lambda row: str(row["model"])):
            name = f"{document['dataset']} {row['model'].replace('_', ' ')}"
            areas = f"{row['auc_roc']:.4f}", f"{row['auc_pr']:.3f}"
            cells = [name, row["fitted_on"], row["judged_on"], *_f1(row), *areas]
            yield f"| {' | '.join(cells)} |"


def sources(documents: Iterable[Document]) -> Iterator[str]:
    """The commands, with what is worth knowing about their data."""
    for one in documents:
        yield f"- {one['dataset']} {one['protocol']}, {one['source']}: `{one['command']}`"


def _pairs(documents: Iterable[Document]) -> Iterator[tuple[Document | None, Document | None]]:
    every = list(documents)
    for dataset in sorted({one["dataset"] for one in every}):
        found = {one["protocol"]: one for one in every if one["dataset"] == dataset}
        yield found.get("official"), found.get("held-out")


def _ranked(document: Document) -> list[tuple[str, dict[str, Any]]]:
    rows = sorted(document["rows"], key=lambda row: -row["f1_mean"])
    return [(row["model"], row) for row in rows]


def _kind(row: dict[str, Any]) -> str:
    plain = row["model"].startswith("plain")
    return "peer" if row["peer"] else "plain" if plain else row["supervision"]


def _events(held_out: Document) -> dict[str, dict[str, Any]]:
    return {one["model"]: one for one in held_out["events"] if one["rule"] == RULE}


def _name(document: Document, row: dict[str, Any]) -> str:
    name = row["model"].replace("_", " ")
    shown = f"*{name}*" if row["peer"] else name
    return f"{document['dataset']} {shown} | {row['supervision']}"


def _official(document: Document | None, model: str) -> list[str]:
    row = _find(document, "rows", model)
    if row is None:
        return ["-"] * 6
    known = _find(document, "calibration", model) or {}
    areas = f"{row['auc_roc']:.4f}", f"{row['auc_pr']:.3f}"
    return [*_f1(row), *areas, f"{known['ece']:.4f}", f"{known['brier']:.4f}"]


def _held_out(document: Document | None, model: str) -> list[str]:
    row = _find(document, "rows", model)
    return ["-"] * 2 if row is None else _f1(row)


def _f1(row: dict[str, Any]) -> list[str]:
    figures = f"{row['f1_mean']:.3f} ({row['f1_sd']:.3f})"
    return [figures, f"{row['f1_low']:.2f}-{row['f1_high']:.2f}"]


def _event(one: dict[str, Any]) -> list[str]:
    return [
        f"{one['on_time_share']:.1%} of {one['engines']}",
        str(one["early"]),
        f"{one['lead_median']:.0f}",
        f"{one['lead_p10']:.0f}",
        f"{one['alarmed_per_1000_healthy']:.2f}",
    ]


def _budget(one: dict[str, Any]) -> list[str]:
    interval = f"{one['achieved_low']:.2f}-{one['achieved_high']:.2f}"
    achieved = f"{one['achieved_per_1000_cycles']:.2f} ({interval})"
    return [f"{achieved}, {one['wanted_per_1000_cycles']:g}", f"{one['lead_median']:.0f}"]


def _find(document: Document | None, part: str, model: str) -> dict[str, Any] | None:
    rows = document[part] if document else []
    return next((row for row in rows if row["model"] == model), None)
