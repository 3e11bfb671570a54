"""The bar that every panel of every dashboard must reach, and that their files are up to date."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from grafana.files import FOLDER, boards, generated, stale, write
from plantwatch.configuration import load
from plantwatch.dashboards import Dashboard
from tests.support.panels import dashboards, panels_of, targets
from tests.support.servers import CONFIGS

SETTINGS = load(CONFIGS, {})
ROOT = CONFIGS.parent
SCHEMA = ROOT / "tests" / "data" / "grafana-dashboard.schema.json"
ALL = dashboards(SETTINGS)
PANELS = [
    pytest.param(panel, id=f"{dashboard['uid']}-{panel['id']}")
    for dashboard in ALL
    for panel in panels_of(dashboard)
]

each_dashboard = pytest.mark.parametrize("dashboard", ALL, ids=[one["uid"] for one in ALL])
each_panel = pytest.mark.parametrize("panel", PANELS)


def expressions(panel: dict[str, Any]) -> list[str]:
    return [one["expr"] for one in panel["targets"] if "expr" in one]


# The committed JSON is what the code says; who changes one and not the other is told which file.
def test_the_files_are_up_to_date() -> None:
    assert stale(SETTINGS, ROOT / FOLDER) == []


# A file that was edited, is missing or left over is named, and written anew.
def test_files_are_written_anew(tmp_path: Path) -> None:
    names = sorted(generated(SETTINGS))
    assert stale(SETTINGS, tmp_path) == names
    write(SETTINGS, tmp_path)
    assert stale(SETTINGS, tmp_path) == []
    edited = tmp_path / names[0]
    edited.write_text(edited.read_text(encoding="utf-8").replace("red", "blue"), encoding="utf-8")
    (tmp_path / "old.json").write_text("{}")
    assert stale(SETTINGS, tmp_path) == sorted([names[0], "old.json"])
    write(SETTINGS, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == names


# A person who has never seen the panel reads what it shows and what to make of it.
@each_panel
def test_a_panel_is_described(panel: dict[str, Any]) -> None:
    assert len(panel["description"].split()) >= 5
    assert panel["title"]


# Each number has a unit and each panel thresholds, which begin at the lowest.
@each_panel
def test_a_panel_has_unit_and_thresholds(panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    steps = defaults["thresholds"]["steps"]
    assert steps[0]["value"] is None
    values = [one["value"] for one in steps[1:]]
    assert values == sorted(values)


# Data sources are chosen at the top of the dashboard, never built in.
@each_panel
def test_a_panel_asks_the_chosen_data_sources(panel: dict[str, Any]) -> None:
    assert panel["targets"]
    for one in [panel, *panel["targets"]]:
        assert one["datasource"]["uid"] in {"${prometheus}", "${postgres}"}


# A range that is shorter than two scrapes shows nothing: Grafana knows how long it must be.
@each_panel
def test_rates_look_back_as_far_as_needed(panel: dict[str, Any]) -> None:
    for expr in expressions(panel):
        assert set(re.findall(r"\[([^\]]*)\]", expr)) <= {"$__rate_interval", "$__range"}
        ranged = re.findall(r"\b(?:rate|irate|increase|delta|\w+_over_time)\(", expr)
        assert len(ranged) == expr.count("[")


# A histogram's series are one per bucket, everything else has a legend that names them.
@each_panel
def test_series_have_names(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        if "expr" in target:
            by = re.search(r"^\(?sum by \(([^)]*)\)", target["expr"])
            for label in by[1].split(", ") if by else []:
                assert f"{{{{{label}}}}}" in target["legendFormat"]


# Links in notifications lead to a panel by its number: it is unique, and stays.
@each_dashboard
def test_ids_are_stable(dashboard: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(ids)
    (board,) = (one for one in boards(SETTINGS) if one.uid == dashboard["uid"])
    assert {panel.id for panel in board.panels} <= set(ids)


# Nothing lies on top of something else, or beyond the edge.
@each_dashboard
def test_panels_do_not_overlap(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


# Both data sources are variables of each dashboard, and each variable says what it is.
@each_dashboard
def test_variables(dashboard: dict[str, Any]) -> None:
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}
    assert [variables[name]["type"] for name in ("prometheus", "postgres")] == ["datasource"] * 2
    assert all(one["description"] for one in variables.values())
    text = json.dumps(dashboard)
    used = set(re.findall(r"\$\{?([a-z]\w*)", text))
    assert set(variables) - {"prometheus", "postgres"} <= used  # those are carried along by links
    assert used <= set(variables)


# Over every chart: incidents, maintenance and model swaps.
@each_dashboard
def test_annotations(dashboard: dict[str, Any]) -> None:
    names = [one["name"] for one in dashboard["annotations"]["list"]]
    assert names == ["Incidents", "Maintenance", "Model swaps"]
    assert all(one["enable"] for one in dashboard["annotations"]["list"])


# Who goes from one dashboard to another keeps the time range and what was chosen.
@each_dashboard
def test_links_keep_time_and_variables(dashboard: dict[str, Any]) -> None:
    (link,) = dashboard["links"]
    assert (link["keepTime"], link["includeVars"], link["type"]) == (True, True, "dashboards")
    assert set(link["tags"]) <= set(dashboard["tags"])
    for url in re.findall(r'"url": "(/d/[^"]*)"', json.dumps(dashboard)):
        assert url.startswith(f"{Dashboard.MACHINE.path}?${{__url_time_range}}&var-machine=")
        assert url.endswith("&${prometheus:queryparam}&${postgres:queryparam}")


# A machine's name in a table leads to the machine.
def test_machines_are_linked() -> None:
    floor = ALL[0]
    linked = [panel["title"] for panel in panels_of(floor) if "var-machine" in json.dumps(panel)]
    assert linked == ["What needs somebody", "Highest scores now"]


# Grafana's own schema takes each dashboard. Its annotations' targets are described there as those
# of Grafana's built-in source only ("this should just be a normal query target"), so they are not
# held against it.
@each_dashboard
def test_grafanas_schema(dashboard: dict[str, Any]) -> None:
    copied = json.loads(json.dumps(dashboard))
    for one in copied["annotations"]["list"]:
        del one["target"]
    validator = Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [error.message for error in validator.iter_errors(copied)] == []
    copied["panels"][1]["titel"] = "a typo"
    copied["schemaVersion"] = "41"
    assert len(list(validator.iter_errors(copied))) >= 1


# There are four dashboards, and each asks something.
def test_there_are_four() -> None:
    assert len(ALL) == 4
    assert all(list(targets(one)) for one in ALL)
