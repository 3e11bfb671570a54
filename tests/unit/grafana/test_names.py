"""A renamed metric, label, table or column breaks no chart unnoticed."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from plantwatch import metrics
from plantwatch.configuration import load
from tests.support.panels import Target, dashboards, substituted, targets
from tests.support.servers import CONFIGS

MIGRATIONS = CONFIGS.parent / "sinks" / "migrations" / "versions"
TARGETS = [one for dashboard in dashboards(load(CONFIGS, {})) for one in targets(dashboard)]
CHOSEN = {"line": ["FD001", "FD'2"], "machine": "FD001-engine-001", "sensor": "4", "instance": ".*"}
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)


def asked(source: str) -> list[Any]:
    return [pytest.param(one, id=one.place) for one in TARGETS if one.source == source]


def text_of(target: Target) -> str:
    return substituted(target.text, CHOSEN | dict(target.constants), SINCE, UNTIL)


def exported() -> dict[str, set[str]]:
    """Series' names with the labels that they can have."""
    found = {"up": {"job", "instance"}}
    for one in metrics.ALL:
        labels = {*one.labels, "job", "instance"}
        if one.kind == "histogram":
            found |= {f"{one.name}_sum": labels, f"{one.name}_count": labels}
            found[f"{one.name}_bucket"] = labels | {"le"}
        else:
            found[one.name + "_total" * (one.kind == "counter")] = labels
    return found


def selectors(node: Any) -> Iterator[Any]:
    """All vector selectors of a PromQL expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "args", "param"):
        below = getattr(node, name, None)
        for one in below if isinstance(below, list) else [below]:
            if one is not None and not isinstance(one, str):
                yield from selectors(one)


def unknown_to_prometheus(expr: str) -> set[str]:
    """Metrics and labels of an expression that nothing exports."""
    known, missing = exported(), set()
    found = list(selectors(promql_parser.parse(expr)))
    assert found or expr.startswith("label_values")
    for one in found:
        labels = {matcher.name for matcher in one.matchers.matchers}
        missing |= {one.name} if one.name not in known else labels - known[one.name]
    return missing


# Every metric and label of every panel is in plantwatch/metrics.py.
@pytest.mark.parametrize("target", asked("prometheus"))
def test_metrics_exist(target: Target) -> None:
    text = text_of(target)
    if text.startswith("label_values("):
        metric, label = text.removeprefix("label_values(").removesuffix(")").split(", ")
        assert label in exported()[metric]
    else:
        assert unknown_to_prometheus(text) == set()


# The labels that panels group by are labels of the metric.
@pytest.mark.parametrize("target", asked("prometheus"))
def test_labels_to_group_by_exist(target: Target) -> None:
    text = text_of(target)
    if not text.startswith("label_values("):
        names = {one.name for one in selectors(promql_parser.parse(text))}
        known = set.union(*(exported()[name] for name in names))
        assert set(_grouped_by(promql_parser.parse(text))) <= known


def _grouped_by(node: Any) -> Iterator[str]:
    modifier = getattr(node, "modifier", None)
    if isinstance(node, promql_parser.AggregateExpr) and modifier is not None:
        yield from modifier.labels
    for name in ("expr", "lhs", "rhs", "args"):
        below = getattr(node, name, None)
        for one in below if isinstance(below, list) else [below]:
            if one is not None and not isinstance(one, str):
                yield from _grouped_by(one)


def schema() -> dict[str, dict[str, str]]:
    """Tables and their columns, as the migrations make them."""
    tables: dict[str, dict[str, str]] = {}
    for path in sorted(MIGRATIONS.glob("0*.py")):
        (upgrade,) = (
            node
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
        )
        for node in ast.walk(upgrade):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                _apply(node.value, tables)
    return tables


def _apply(statement: str, tables: dict[str, dict[str, str]]) -> None:
    if not statement.strip().startswith(("CREATE TABLE", "ALTER TABLE")):
        return
    tree = sqlglot.parse_one(statement, dialect="postgres")
    table = tables.setdefault(tree.find(exp.Table).name, {})  # type: ignore[union-attr]  # has one
    for column in tree.find_all(exp.ColumnDef):
        table[column.name] = column.args["kind"].sql() if column.args.get("kind") else "text"


SCHEMA = schema()


# The migrations are read rightly: the tables and some of their columns are known.
def test_the_migrations_are_read() -> None:
    assert {"anomaly_events", "shadow_events", "readings", "incidents", "maintenance"} <= set(
        SCHEMA
    )
    assert {"top_sensors", "regime", "anomaly_score"} <= set(SCHEMA["anomaly_events"])
    assert "values" in SCHEMA["readings"]


def unknown_to_postgres(statement: str) -> str | None:
    """What of a statement is in no migration, in the words of sqlglot."""
    tree = sqlglot.parse_one(statement, dialect="postgres")
    own = {one.alias for one in tree.find_all(exp.CTE)}
    tables = {one.name for one in tree.find_all(exp.Table) if one.name and one.name not in own}
    if unknown := {one for one in tables if one not in SCHEMA}:
        return f"no table {unknown}"
    try:
        qualify(tree, schema=dict(SCHEMA), dialect="postgres", validate_qualify_columns=True)
    except sqlglot.errors.OptimizeError as error:
        return str(error)
    return None


# Every table and column of every panel, annotation and variable is in sinks/migrations.
@pytest.mark.parametrize("target", asked("postgres"))
def test_tables_and_columns_exist(target: Target) -> None:
    assert unknown_to_postgres(text_of(target)) is None


# The guards see what they guard against.
def test_the_guards_are_awake() -> None:
    assert unknown_to_prometheus("sum(rate(plantwatch_reading_total[5m]))") == {
        "plantwatch_reading_total"
    }
    assert unknown_to_prometheus('plantwatch_readings_total{kind="scored"}') == {"kind"}
    assert unknown_to_postgres("SELECT peak FROM incidents")
    assert unknown_to_postgres("SELECT id FROM incident")
    assert unknown_to_postgres("SELECT id FROM incidents") is None


# A variable or macro that nothing stands for would reach the server as it is.
def test_nothing_is_left_to_substitute() -> None:
    with pytest.raises(ValueError, match="nothing stands for"):
        substituted("SELECT ${lines}", CHOSEN, SINCE, UNTIL)
    assert Path(MIGRATIONS).is_dir()
