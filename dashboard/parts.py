"""What both views are made of: what is wrong with them, who acts, and an incident's row.

Streamlit tells elements apart by their place. What comes and goes has a container that stays, and
what changes its place one with a key: else all below it is made anew, and a click that meets that
is lost.
"""

import os
import time
from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Final, TypeVar

import streamlit as st

from connections.postgres import session
from dashboard import words
from dashboard.source import Answer, Source
from incidents import feedback
from incidents.queries import Incident, in_words
from plantwatch.errors import PlantwatchError
from plantwatch.settings import Settings

T = TypeVar("T")

_WHO: Final = "who"
_OUTCOME: Final = "outcome"
_WIDTHS: Final = (1.0, 2.2, 2.4, 1.0, 2.6, 2.6)
_HEADINGS: Final = ("since (UTC)", "peak", "sensors and what they add", "who is at it")


def loading(source: Source, key: Hashable) -> AbstractContextManager[None]:
    """A sign that we wait for PostgreSQL, where nothing else is to be seen.

    Above what is there it would push that down for a moment, and a click would meet another row.
    """
    return nullcontext() if source.has(key) else st.spinner(words.LOADING)


def show_state(answer: Answer[T], settings: Settings) -> T | None:
    """Say what is wrong, if anything is; the data to go on with, None where there are none."""
    with st.container():
        if answer.outage is not None:
            every = settings.streamlit.refresh_interval_sec
            st.error(words.outage(answer.outage, answer.read_at, time.time(), every))
    return answer.data


def show_outcome() -> None:
    """What became of the last acknowledgement made in this browser."""
    outcome = st.session_state.get(_OUTCOME)
    with st.container():
        if outcome is not None:
            (st.success if outcome[0] else st.warning)(outcome[1])


def name_field() -> None:
    st.text_input(
        "You are",
        value=st.query_params.get("who", os.environ.get("USER", "")),
        key=_WHO,
        max_chars=64,
        help="The name that others read when you acknowledge an incident.",
    )


def who() -> str:
    """The name of the one who looks; empty if it was not given."""
    return str(st.session_state.get(_WHO) or "").strip()


def go_to(machine: str | None) -> None:
    """Show another view; ends this run of the script."""
    st.session_state.pop(_OUTCOME, None)
    if machine is None:
        st.query_params.clear()
    else:
        st.query_params["machine"] = machine
    st.rerun()


def _headings(first: str) -> None:
    """Those of rows whose first text is a `machine`, or an `incident`."""
    for column, text in zip(st.columns(_WIDTHS), ("", first, *_HEADINGS), strict=True):
        column.caption(text)


def incident_rows(
    settings: Settings, source: Source, incidents: Sequence[Incident], *, linked: bool
) -> None:
    """Open incidents, if there are any, with their headings; machines are buttons if `linked`."""
    with st.container():
        if incidents:
            _headings("machine" if linked else "incident")
        for one in incidents:
            with st.container(key=f"incident-{one.id}"):
                _row(settings, source, one, linked=linked)


def _row(settings: Settings, source: Source, one: Incident, *, linked: bool) -> None:
    cells = st.columns(_WIDTHS, vertical_alignment="center")
    cells[0].badge(one.severity, color="red" if one.severity == "critical" else "orange")
    if linked:
        if cells[1].button(escaped(one.sensor_id), key=f"go-{one.id}", type="tertiary"):
            go_to(one.sensor_id)
    else:
        cells[1].text(str(one.id))
    cells[2].text(f"{one.opened_at:%m-%d %H:%M:%S}, {one.last_cycle - one.opened_cycle + 1} cycles")
    cells[3].text(f"{one.peak_score:.3f}")
    cells[4].text(in_words(one.top_sensors) or "not told")
    if one.acknowledged_at is not None:
        cells[5].text(f"{one.acknowledged_by}, since {one.acknowledged_at:%H:%M}")
    else:
        # Without `help`: a tooltip would lie over the button above, and take its clicks.
        cells[5].button(
            "Acknowledge",
            key=f"ack-{one.id}",
            on_click=_acknowledge,
            args=(settings, source, one.id),
        )


def _acknowledge(settings: Settings, source: Source, incident_id: int) -> None:
    """Acknowledge as the operator; what came of it is shown by `show_outcome`."""
    by = who()
    if not by:
        st.session_state[_OUTCOME] = False, "Say who you are first: the field is above."
        return
    try:
        with session(settings, "operator") as connection:
            found = feedback.acknowledge(connection, incident_id, by)
    except PlantwatchError as error:
        st.session_state[_OUTCOME] = False, f"Not acknowledged: {escaped(str(error))}"
    else:
        done = f"Incident {found.id} of {escaped(found.sensor_id)} is yours, {escaped(by)}."
        st.session_state[_OUTCOME] = True, f"{done} ({datetime.now(UTC):%H:%M:%S} UTC)"
    source.expire()


def escaped(text: str) -> str:
    """Other people's text where Streamlit reads Markdown."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~:$" else sign for sign in text)
