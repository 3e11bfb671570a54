"""One machine: its score, its sensors and what is expected of them, and what made the score."""

from collections.abc import Sequence

import streamlit as st
from plotly.graph_objects import Figure

from dashboard import charts, expected, parts, queries, reasons, words
from dashboard.queries import MachineHistory
from dashboard.reasons import Reasons
from dashboard.source import Source
from models.card import Card
from models.onnx_detector import OnnxDetector
from plantwatch.settings import Settings

_AUTOENCODERS = ("lstm_ae", "patchtst")


def show(settings: Settings, source: Source, machine: str) -> None:
    """Draw the view, again and again."""
    if st.button("Fleet", icon=":material/arrow_back:"):
        parts.go_to(None)
    st.header(parts.escaped(machine), anchor=False)
    draw = st.fragment(_draw, run_every=settings.streamlit.refresh_interval_sec)
    draw(settings, source, machine)


def _draw(settings: Settings, source: Source, machine: str) -> None:
    limit = settings.streamlit.history
    with parts.loading(source, machine):
        answer = source.read(machine, lambda one: queries.history(one, machine, limit))
    parts.show_outcome()
    history = parts.show_state(answer, settings)
    if history is None:
        return
    _state(history)
    open_ones = [one for one in history.incidents if one.closed_at is None]
    parts.incident_rows(settings, source, open_ones, linked=False)
    if not history.verdicts:
        st.info(words.NO_VERDICTS)
    model = reasons.detector_of(settings, history.verdicts[-1]) if history.verdicts else None
    card = None if model is None else model.card
    found = None if model is None else reasons.reasons(model, history, settings.window)
    if history.verdicts:
        st.subheader("Score", anchor=False)
        threshold = reasons.threshold(card, settings.anomaly.threshold)
        _chart(charts.score(history, threshold), "score")
    _sensors(settings, machine, history, card, found)
    _reasons(history, model, found)


def _state(history: MachineHistory) -> None:
    """The newest verdict in a line."""
    if not history.verdicts:
        return
    last = history.verdicts[-1]
    verdict = "anomalous" if last.is_anomaly else "normal"
    regime = "" if last.regime is None else f", operating regime {last.regime}"
    st.text(
        f"cycle {last.cycle:,} at {last.detected_at:%Y-%m-%d %H:%M:%S} UTC: {verdict}, score "
        f"{last.anomaly_score:.3f}, confidence {last.confidence:.2f}{regime}, by "
        f"{last.model_version}"
    )
    if last.unseen_regime:
        st.warning(
            "It runs in an operating regime that training never saw: the score means little."
        )


def _sensors(
    settings: Settings,
    machine: str,
    history: MachineHistory,
    card: Card | None,
    found: Reasons | None,
) -> None:
    st.subheader("Sensors", anchor=False)
    if not history.readings:
        st.info(words.NO_READINGS)
        return
    every = range(1, settings.reading.sensors + 1)
    chosen = st.multiselect(
        "Which",
        every,
        default=_first(settings, history, found),
        format_func=lambda one: f"sensor {one}",
        # Without a key it is another field, nothing chosen, whenever other sensors come first.
        key=f"sensors-{machine}",
    )
    if not chosen:
        return
    values = [one.values for one in history.readings]
    bands = [None if card is None else expected.band(card, values, one) for one in chosen]
    _chart(charts.sensors(history, chosen, bands, settings.reading), "sensors")
    st.caption(words.NO_MODEL if card is None else _expectation(card))


def _expectation(card: Card) -> str:
    gains = ", each times the gain that the model gives that regime" * bool(card.features.weight)
    return (
        f"Expected: mean +- {expected.SPREADS} standard deviations{gains} of healthy machines in "
        "the operating regime of each reading, from the model's card."
    )


def _first(settings: Settings, history: MachineHistory, found: Reasons | None) -> list[int]:
    """The sensors to begin with: behind the newest incident, or the newest score; or any."""
    for one in history.incidents:
        if one.top_sensors:
            return [sensor.sensor for sensor in one.top_sensors]
    return [sensor for sensor, _ in found.latest[:3]] if found else [*settings.features.sensors[:3]]


def _reasons(history: MachineHistory, model: OnnxDetector | None, found: Reasons | None) -> None:
    rebuilds = model is not None and model.card.model_type in _AUTOENCODERS
    what = "Reconstruction error per sensor" if rebuilds else "What each sensor adds to the score"
    st.subheader(what, anchor=False)
    if found is not None:
        _chart(charts.reasons(found), "reasons")
        st.caption(_in_words(found.latest))
    elif model is None and history.verdicts:
        st.info(words.NO_MODEL)
    else:
        st.info(words.NO_REASONS)


def _in_words(latest: Sequence[tuple[int, float]]) -> str:
    top = ", ".join(f"sensor {sensor} {value:+.2f}" for sensor, value in latest[:3])
    return (
        f"Newest window: {top}. All of them sum to the raw score; red speaks for an anomaly, blue "
        "against one."
    )


def _chart(figure: Figure, key: str) -> None:
    st.plotly_chart(figure, key=key, config={"displaylogo": False}, alt=key)
