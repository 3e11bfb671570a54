"""Every query of the dashboards as their JSON has it, and what Grafana would make of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grafana.files import boards
from grafana.render import render
from plantwatch.settings import Settings

Json = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A query, where it stands, and the variables of its dashboard that are not asked for."""

    place: str
    source: str
    text: str
    constants: Mapping[str, str]
    kind: str


def dashboards(settings: Settings) -> list[Json]:
    return [render(board) for board in boards(settings)]


def panels_of(dashboard: Json) -> list[Json]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def targets(dashboard: Json) -> Iterator[Target]:
    """Queries of its panels, its annotations and its variables."""
    title, known = dashboard["title"], constants(dashboard)
    for panel in panels_of(dashboard):
        for target in panel["targets"]:
            text = target.get("rawSql") or target["expr"]
            where = f"{title} / {panel['title']} / {target['refId']}"
            yield Target(where, target["datasource"]["uid"][2:-1], text, known, "panel")
    for one in dashboard["annotations"]["list"]:
        place = f"{title} / annotation {one['name']}"
        yield Target(place, "postgres", one["target"]["rawSql"], known, "annotation")
    for one in dashboard["templating"]["list"]:
        if one["type"] == "query":
            place = f"{title} / variable {one['name']}"
            yield Target(place, one["datasource"]["uid"][2:-1], one["query"], known, "variable")


def constants(dashboard: Json) -> dict[str, str]:
    """Values of the variables that nobody is asked for."""
    listed = dashboard["templating"]["list"]
    return {one["name"]: one["query"] for one in listed if one["type"] == "constant"}


def substituted(
    text: str, values: Mapping[str, str | Sequence[str]], since: datetime, until: datetime
) -> str:
    """With its macros and variables replaced, as Grafana does before it asks.

    `$__interval` is a second, `$__rate_interval` ten. What is left over is an error.
    """
    begin, end = (f"'{one.isoformat()}'" for one in (since, until))
    text = re.sub(r"\$__timeFilter\(([\w.]+)\)", rf"\1 BETWEEN {begin} AND {end}", text)
    text = re.sub(
        r"\$__timeGroup\(([\w.]+), *\$__interval\)",
        r"floor(extract(epoch FROM \1) / 1) * 1",
        text,
    )
    for macro, meaning in (
        ("$__timeFrom()", f"{begin}::timestamptz"),
        ("$__timeTo()", f"{end}::timestamptz"),
        ("$__unixEpochFrom()", str(int(since.timestamp()))),
        ("$__unixEpochTo()", str(int(until.timestamp()))),
        ("$__rate_interval", "10s"),
        ("$__interval", "1s"),
    ):
        text = text.replace(macro, meaning)
    for name, value in values.items():
        text = _with_variable(text, name, [value] if isinstance(value, str) else value)
    if left := re.findall(r"\$\{?\w+", text):
        raise ValueError(f"nothing stands for {left}")
    return text


def _with_variable(text: str, name: str, values: Sequence[str]) -> str:
    quoted = ",".join("'" + value.replace("'", "''") + "'" for value in values)
    text = text.replace(f"${{{name}:sqlstring}}", quoted)
    text = text.replace(f"${{{name}}}", values[0])
    joined = values[0] if len(values) == 1 else f"({'|'.join(values)})"
    return re.sub(rf"\${name}\b", lambda _: joined, text)
