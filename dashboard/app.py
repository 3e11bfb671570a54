"""The script that Streamlit runs anew for every look; what outlives one is in `_shared`."""

import os
from pathlib import Path

import streamlit as st

from dashboard import fleet_view, frame, machine_view
from dashboard.accounts import Accounts
from dashboard.service import Service
from dashboard.source import Source
from plantwatch.configuration import environment, load
from plantwatch.settings import Settings


@st.cache_resource(show_spinner=False)
def _shared() -> tuple[Settings, Source, Accounts, Service]:
    """One of each, for all who look."""
    settings = load(Path(os.environ.get("PLANTWATCH_CONFIG", "configs")), environment())
    return settings, Source(settings), Accounts(settings), Service(settings)


def main() -> None:
    """Draw the fleet, or the machine that the address names."""
    st.set_page_config(page_title="plantwatch", layout="wide")
    settings, source, accounts, service = _shared()
    machine = st.query_params.get("machine")
    frame.header(settings, source, machine)
    if machine is None:
        fleet_view.show(settings, source)
    else:
        machine_view.show(settings, source, machine)
    frame.footer(settings, source, accounts, service)


if __name__ == "__main__":
    main()
