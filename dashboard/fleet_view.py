"""The fleet at a glance: how many machines are how, what needs somebody, and a tile for each."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import psycopg
import streamlit as st

from dashboard import parts, queries, tiles, words
from dashboard.fleet import Machine, counts, fleet_of
from dashboard.queries import MachineRow
from dashboard.source import Answer, Source
from incidents.precision import Precision, precision
from incidents.queries import Choice, Incident, listed
from plantwatch.settings import Settings

_KEY: Final = ("fleet",)


class Fleet(NamedTuple):
    """All that the view shows, read together."""

    machines: Sequence[MachineRow]
    incidents: Sequence[Incident]
    precision: Precision


def show(settings: Settings, source: Source) -> None:
    """Draw the view, again and again."""
    st.fragment(_draw, run_every=settings.streamlit.refresh_interval_sec)(settings, source)


def ask(settings: Settings, source: Source) -> Answer[Fleet]:
    """The fleet as last read, with one more incident than is shown, to know that there are more."""
    most = settings.streamlit.incidents_shown + 1

    def query(connection: psycopg.Connection) -> Fleet:
        incidents = listed(connection, Choice(closed=False), most)
        return Fleet(queries.fleet(connection), incidents, precision(connection))

    return source.read(_KEY, query)


def _draw(settings: Settings, source: Source) -> None:
    with parts.loading(source, _KEY):
        answer = ask(settings, source)
    parts.show_outcome()
    found = parts.show_state(answer, settings)
    if found is None:
        return
    if not found.machines:
        st.info(words.NO_MACHINES)
        return
    machines = fleet_of(found.machines, datetime.now(UTC), settings.streamlit.silent_after_sec)
    _counts(machines)
    with st.container():
        _incidents(settings, source, found)
    _tiles(machines, settings.streamlit.tiles)


def _counts(machines: Sequence[Machine]) -> None:
    found = counts(machines)
    for column, (condition, number) in zip(st.columns(len(found)), found.items(), strict=True):
        column.html(tiles.count(condition, number))


def _incidents(settings: Settings, source: Source, found: Fleet) -> None:
    shown = settings.streamlit.incidents_shown
    if not found.incidents:
        st.success(words.NO_INCIDENTS)
    else:
        st.subheader("Open incidents", anchor=False)
    parts.incident_rows(settings, source, found.incidents[:shown], linked=True)
    if len(found.incidents) > shown:
        st.caption(f"These are the first {shown}; `plantwatch incident list` has them all.")
    st.caption(f"Alarm precision: {found.precision}.")


def _tiles(machines: Sequence[Machine], most: int) -> None:
    st.subheader(f"{len(machines):,} machines, worst first", anchor=False)
    if len(machines) > most:
        st.caption(f"The worst {most:,} have a tile; the field above finds every one.")
    st.html(tiles.tiles(machines[:most], parts.who()))
