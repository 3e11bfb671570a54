"""The variables of dashboards: data sources first, then what a person chooses, then numbers."""

from typing import Final, TypeVar

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog import builder as cog
from grafana_foundation_sdk.models import dashboard as model

from grafana.spec import Board, Variable

Built = cog.Builder[model.VariableModel]

PLUGINS: Final = {"prometheus": "prometheus", "postgres": "grafana-postgresql-datasource"}
"""Grafana's word for each kind of data source that we ask."""


def source(name: str) -> model.DataSourceRef:
    """The data source that is chosen at the top of the dashboard."""
    return model.DataSourceRef(type_val=PLUGINS[name], uid=f"${{{name}}}")


def variables_of(board: Board) -> list[Built]:
    """All of a dashboard; each dashboard has both data sources, so that links can carry them."""
    return [
        _data_source("prometheus", "Prometheus", "Where the figures of the processes come from."),
        _data_source("postgres", "PostgreSQL", "Where verdicts and incidents come from: the site."),
        *map(_built, board.variables),
    ]


def _data_source(name: str, label: str, description: str) -> Built:
    made = dashboard.DatasourceVariable(name).type(PLUGINS[name]).label(label)
    return made.description(description)


def _built(one: Variable) -> Built:
    if one.source == "constant":
        made = dashboard.ConstantVariable(one.name).value(one.query).label(one.label)
        return made.description(one.description)
    if one.source == "custom":
        return _custom(one)
    return _query(one)


def _custom(one: Variable) -> Built:
    made = dashboard.CustomVariable(one.name).values(one.query).label(one.label)
    made = made.description(one.description).multi(one.multi)
    return made if one.everything is None else _all_of(made, one)


def _query(one: Variable) -> Built:
    made = dashboard.QueryVariable(one.name).query(one.query.strip()).label(one.label)
    made = made.description(one.description).multi(one.multi).datasource(source(one.source))
    made = made.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    made = made.sort(model.VariableSort.NATURAL_ASC)
    return made if one.everything is None else _all_of(made, one)


B = TypeVar("B", dashboard.CustomVariable, dashboard.QueryVariable)


def _all_of(made: B, one: Variable) -> B:
    """With a choice of everything, which it begins with."""
    everything = model.VariableOption(selected=True, text=["All"], value=["$__all"])
    made = made.include_all(True).current(everything)
    return made.all_value(one.everything) if one.everything else made
