"""Dashboards as Grafana's JSON, by its Foundation SDK."""

import json
from collections.abc import Mapping
from typing import Any, Final

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog import builder as cog
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.spec import TO_MACHINE, Board, Json, Kind, Panel, Prom, Query, Row, Sql
from grafana.variables import source, variables_of

TAG: Final = "plantwatch"

# Each kind has a builder of its own; what we call on them all of them have.
_BUILDERS: Final[Mapping[Kind, Any]] = {
    "timeseries": timeseries.Panel,
    "stat": stat.Panel,
    "table": table.Panel,
    "state-timeline": statetimeline.Panel,
    "bargauge": bargauge.Panel,
    "heatmap": heatmap.Panel,
}


def render(board: Board) -> Json:
    """A dashboard's JSON; the same board gives the same JSON, to the byte."""
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .time(board.since, "now")
        .refresh("10s")
        .link(_links())
        .variables(variables_of(board))
    )
    # Rows have ids, too: above those of panels, which count from 1.
    for number, row in enumerate(board.rows):
        _add_row(built, row, 1000 + number)
    found: Json = json.loads(json.dumps(built.build(), cls=JSONEncoder))
    found["annotations"] = {"list": [_annotation(*one) for one in _annotations(board)]}
    for variable in found["templating"]["list"]:
        for only_of_intervals in ("auto", "auto_min", "auto_count"):
            variable.pop(only_of_intervals, None)
    pruned: Json = _pruned(found)
    return pruned


def source_of(query: Query) -> model.DataSourceRef:
    return source("prometheus" if isinstance(query, Prom) else "postgres")


class _SqlQuery(variants.Dataquery):
    """A query of PostgreSQL, for which the SDK has no class."""

    def __init__(self, query: Sql, ref: str) -> None:
        self._json = {
            "refId": ref,
            "datasource": source_of(query),
            "format": query.format,
            "rawQuery": True,
            "editorMode": "code",
            "rawSql": query.text.strip(),
        }

    def to_json(self) -> dict[str, object]:
        return self._json


class _Target(cog.Builder[variants.Dataquery]):
    """One query of a panel, by its letter."""

    def __init__(self, query: Query, ref: str, kind: Kind) -> None:
        self._query, self._ref, self._kind = query, ref, kind

    def build(self) -> variants.Dataquery:
        if isinstance(self._query, Sql):
            return _SqlQuery(self._query, self._ref)
        made = prometheus.Dataquery().expr(self._query.expr).ref_id(self._ref)
        made = made.legend_format(self._query.legend).datasource(source_of(self._query))
        if self._kind == "heatmap":
            made = made.format(PromQueryFormat.HEATMAP)
        return (made.instant() if self._query.instant else made.range()).build()


def _add_row(board: dashboard.Dashboard, row: Row, number: int) -> None:
    board.with_row(dashboard.Row(row.title).id(number))
    for panel in row.panels:
        board.with_panel(_panel(panel))


def _panel(panel: Panel) -> Any:
    steps = [model.Threshold(value=value, color=color) for value, color in panel.steps]
    made = _BUILDERS[panel.kind]()
    made = made.id(panel.id).title(panel.title).description(panel.description).unit(panel.unit)
    made = made.datasource(source_of(panel.queries[0]))
    made = made.span(panel.width).height(panel.height)
    made = made.thresholds(dashboard.ThresholdsConfig().mode(_ABSOLUTE).steps(steps))
    for letter, query in zip("ABCDEF", panel.queries, strict=False):
        made = made.with_target(_Target(query, letter, panel.kind))
    for bound, value in (("min", panel.low), ("max", panel.high)):
        if value is not None:
            made = getattr(made, bound)(value)
    return _by_column(_of_kind(made, panel), panel)


_ABSOLUTE: Final = model.ThresholdsMode.ABSOLUTE


def _of_kind(made: Any, panel: Panel) -> Any:
    """What only some kinds have: how numbers are reduced, words for values, repetition."""
    if panel.kind in ("stat", "bargauge"):
        rows = panel.kind == "bargauge" and isinstance(panel.queries[0], Sql)
        made = made.reduce_options(common.ReduceDataOptions().values(rows).calcs(["lastNotNull"]))
    if panel.words:
        words = {
            value: model.ValueMappingResult(text=text, color=color)
            for value, (text, color) in panel.words.items()
        }
        made = made.mappings([model.ValueMap(options=words)])
    if panel.repeat:
        made = made.repeat(panel.repeat).repeat_direction("h").max_per_row(3)
    if panel.threshold_line:
        dashed = common.GraphThresholdsStyleConfig().mode(
            common_models.GraphThresholdsStyleMode.DASHED
        )
        made = made.thresholds_style(dashed)
    return made


def _by_column(made: Any, panel: Panel) -> Any:
    """Units of single columns, and names of machines that lead to them."""
    for column, unit in panel.units.items():
        made = made.override_by_name(column, [model.DynamicConfigValue("unit", unit)])
    if panel.machine_column:
        link = [{"title": "This machine", "url": TO_MACHINE}]
        made = made.override_by_name(
            panel.machine_column, [model.DynamicConfigValue("links", link)]
        )
    return made


def _links() -> dashboard.DashboardLink:
    """To the other dashboards, in the same time range and with the same variables."""
    return (
        dashboard.DashboardLink("plantwatch")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .keep_time(True)
        .include_vars(True)
        .tooltip("The other dashboards, for the same time")
    )


def _annotations(board: Board) -> list[tuple[str, str, str]]:
    return [(one.name, one.color, one.sql) for one in board.annotations]


def _annotation(name: str, color: str, sql: str) -> Json:
    """An annotation of rows of PostgreSQL, which the SDK's class has no room for."""
    query = Sql(sql)
    return {
        "name": name,
        "datasource": source_of(query).to_json(),
        "enable": True,
        "hide": False,
        "iconColor": color,
        "target": {
            "refId": "Anno",
            "format": query.format,
            "rawQuery": True,
            "editorMode": "code",
            "rawSql": sql.strip(),
        },
    }


def _pruned(value: Any) -> Any:
    """Without the nulls that the SDK writes for what is not set, but for a threshold's None."""
    if isinstance(value, dict):
        lowest = set(value) == {"value", "color"}
        return {key: _pruned(one) for key, one in value.items() if one is not None or lowest}
    return [_pruned(one) for one in value] if isinstance(value, list) else value
