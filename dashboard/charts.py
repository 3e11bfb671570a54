"""Figures of what was read. Colours are one meaning each, and never the only sign of it."""

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.expected import Band
from dashboard.fleet import Condition
from dashboard.queries import MachineHistory, StoredReading
from dashboard.reasons import Reasons
from dashboard.tiles import COLOURS
from plantwatch.settings import Reading

_LINE: Final = "#31547d"
_RED: Final = COLOURS[Condition.CRITICAL]


def score(history: MachineHistory, threshold: float) -> go.Figure:
    """Scores over event time against the threshold; incidents and maintenance shaded."""
    verdicts = history.verdicts
    times = [one.detected_at for one in verdicts]
    figure = go.Figure(
        go.Scatter(
            x=times,
            y=[one.anomaly_score for one in verdicts],
            customdata=[one.cycle for one in verdicts],
            hovertemplate="cycle %{customdata}<br>score %{y:.3f}<extra></extra>",
            line={"color": _LINE, "width": 2},
            name="score",
        )
    )
    anomalous = [one for one in verdicts if one.is_anomaly]
    figure.add_scatter(
        x=[one.detected_at for one in anomalous],
        y=[one.anomaly_score for one in anomalous],
        mode="markers",
        marker={"color": _RED, "size": 7},
        name="anomalous",
        hoverinfo="skip",
    )
    figure.add_hline(
        threshold, line={"dash": "dash", "color": _RED}, annotation_text=f"threshold {threshold:g}"
    )
    _shade(figure, history)
    figure.update_yaxes(range=[-0.02, 1.02], title="score")
    _dress(figure, 260)
    return figure


def sensors(
    history: MachineHistory,
    chosen: Sequence[int],
    bands: Sequence[Band | None],
    shape: Reading,
) -> go.Figure:
    """One strip per chosen sensor: its readings, anomalies marked, and the expected band."""
    figure = make_subplots(len(chosen), 1, shared_xaxes=True, vertical_spacing=0.04)
    readings = history.readings
    times = [one.event_time for one in readings]
    anomalous = {one.detected_at for one in history.verdicts if one.is_anomaly}
    for row, (sensor, band) in enumerate(zip(chosen, bands, strict=True), start=1):
        values = [one.values[shape.settings + sensor - 1] for one in readings]
        for trace in _strip(readings, values, band, anomalous, first=row == 1):
            figure.add_trace(trace, row, 1)
        figure.update_yaxes(title=f"sensor {sensor}", row=row, col=1)
    _shade(figure, history, times[:1])
    _dress(figure, 60 + 170 * len(chosen))
    return figure


def reasons(found: Reasons) -> go.Figure:
    """What each sensor added to raw, window by window: red speaks for an anomaly, blue against."""
    values = found.contributions.T
    most = float(abs(values).max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            x=list(found.times),
            y=[str(sensor) for sensor in found.sensors],
            z=values,
            zmin=-most,
            zmax=most,
            colorscale=[[0, "#2c5f9e"], [0.5, "#f7f7f7"], [1, _RED]],
            customdata=[found.cycles] * len(found.sensors),
            hovertemplate="sensor %{y}, cycle %{customdata}<br>adds %{z:+.3f}<extra></extra>",
            colorbar={"title": "adds to raw", "thickness": 12},
        )
    )
    figure.update_yaxes(type="category", title="sensor", autorange="reversed")
    _dress(figure, 70 + 22 * len(found.sensors))
    return figure


def _strip(
    readings: Sequence[StoredReading],
    values: Sequence[float],
    band: Band | None,
    anomalous: set[Any],
    *,
    first: bool,
) -> list[go.Scatter]:
    times = [one.event_time for one in readings]
    traces = []
    if band is not None:
        edge = {"x": times, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        fill = {"fill": "tonexty", "fillcolor": "rgba(63, 155, 99, 0.18)"}
        traces.append(go.Scatter(y=band.low, showlegend=False, **edge))
        traces.append(go.Scatter(y=band.high, name="expected", showlegend=first, **edge, **fill))
    traces.append(
        go.Scatter(
            x=times,
            y=values,
            mode="lines",
            line={"color": _LINE, "width": 1.5},
            name="reading",
            showlegend=first,
            customdata=[one.cycle for one in readings],
            hovertemplate="cycle %{customdata}<br>%{y:.4g}<extra></extra>",
        )
    )
    pairs = [(at, value) for at, value in zip(times, values, strict=True) if at in anomalous]
    traces.append(
        go.Scatter(
            x=[at for at, _ in pairs],
            y=[value for _, value in pairs],
            mode="markers",
            marker={"color": _RED, "size": 5},
            name="anomalous",
            showlegend=first,
            hoverinfo="skip",
        )
    )
    return traces


def _shade(figure: go.Figure, history: MachineHistory, first: Sequence[Any] = ()) -> None:
    """Incidents and maintenance, as far as the chart reaches."""
    shown = [*first, *(one.detected_at for one in history.verdicts)]
    if not shown:
        return
    begin, end = min(shown), max(shown)
    for one in history.incidents:
        until = one.last_at if one.closed_at is not None else end
        label = f"incident {one.id}"
        _area(figure, max(begin, one.opened_at), min(end, until), COLOURS[Condition.ALARM], label)
    for window in history.maintenance:
        if window.starts_at <= end:
            span = max(begin, window.starts_at), min(end, window.ends_at)
            _area(figure, *span, COLOURS[Condition.MAINTENANCE], "maintenance")


def _area(figure: go.Figure, begin: Any, end: Any, colour: str, label: str) -> None:
    figure.add_vrect(
        begin,
        end,
        fillcolor=colour,
        opacity=0.13,
        line_width=0,
        layer="below",
        annotation={"text": label, "font": {"size": 11, "color": colour}},
        annotation_position="top left",
    )


def _dress(figure: go.Figure, height: int) -> None:
    figure.update_xaxes(title=None)
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        uirevision="kept",
    )
