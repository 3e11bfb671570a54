"""A tile per machine, as HTML: a thousand of them are there before a chart would be.

Colours are one meaning each, and never the only sign of it.
"""

from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import urlencode

from dashboard.fleet import MEANINGS, Condition, Machine

COLOURS: Final = {
    Condition.CRITICAL: "#b3001b",
    Condition.ALARM: "#d9480f",
    Condition.SILENT: "#6b7280",
    Condition.WATCH: "#b98500",
    Condition.MAINTENANCE: "#3b6fb6",
    Condition.WARMING_UP: "#8a94a3",
    Condition.HEALTHY: "#3f8f5e",
}
"""Dark enough for white letters."""

STYLE: Final = """
.tiles { display: flex; flex-wrap: wrap; gap: 2px; }
.tiles a { width: 2.2rem; height: 2.2rem; line-height: 2.2rem; text-align: center; color: white;
    font-size: 0.7rem; text-decoration: none; border-radius: 3px; }
.tiles.many a { width: 1.35rem; height: 1.35rem; line-height: 1.35rem; }
.tiles a:hover { outline: 2px solid currentColor; }
.count { padding: 0 0 0 10px; line-height: 1.2; }
.count b { font-size: 1.9rem; font-weight: 600; display: block; }
""" + "".join(
    f".is-{condition.name.lower()} {{ background: {colour}; }}\n"
    f".count.of-{condition.name.lower()} {{ border-left: 6px solid {colour}; }}\n"
    for condition, colour in COLOURS.items()
)

_NAMED_UP_TO: Final = 150
"""Machines; of more, tiles are too small for the ends of their names."""
_SIGNS: Final = {Condition.CRITICAL: "!!", Condition.ALARM: "!", Condition.SILENT: "?"}


def tiles(machines: Sequence[Machine], who: str) -> str:
    """One link per machine, in the order given; `who` looks is carried along."""
    many = len(machines) > _NAMED_UP_TO
    links = "".join(_tile(one, who, many=many) for one in machines)
    return f'<div class="tiles{" many" * many}">{links}</div>'


def count(condition: Condition, number: int) -> str:
    """How many machines are in a condition; none of them: paler."""
    pale = "" if number else ' style="opacity: 0.45"'
    return (
        f'<div class="count of-{condition.name.lower()}" title="{MEANINGS[condition]}"{pale}>'
        f"<b>{number:,}</b>{condition.value}</div>"
    )


def _tile(one: Machine, who: str, *, many: bool) -> str:
    name = one.row.sensor_id
    text = _SIGNS.get(one.condition, "&nbsp;") if many else escape(name[-3:])
    return (
        f'<a class="is-{one.condition.name.lower()}" title="{escape(_title(one))}" '
        f'href="?{escape(urlencode({"machine": name, "who": who}))}">{text}</a>'
    )


def _title(one: Machine) -> str:
    row = one.row
    score = "no score yet" if row.anomaly_score is None else f"score {row.anomaly_score:.3f}"
    silent = ", silent" if one.silent and one.condition is not Condition.SILENT else ""
    at_it = f", acknowledged by {row.acknowledged_by}" if row.acknowledged_by else ""
    return f"{row.sensor_id}: {one.condition.value}{silent}, cycle {row.cycle}, {score}{at_it}"
