"""What stands around both views: who looks for what; readings, models and the API accounted for."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import streamlit as st

from dashboard import fleet_view, parts, tiles, words
from dashboard.accounts import Accounts
from dashboard.queries import MachineRow
from dashboard.service import Service
from dashboard.source import Source
from plantwatch.accounting import CLASSES
from plantwatch.settings import Settings

_STYLE: Final = f"""<style>{tiles.STYLE}
.block-container {{ padding-top: 1.2rem; padding-bottom: 2rem; max-width: 90rem; }}
[data-testid="stVerticalBlock"] {{ gap: 0.6rem; }}
h1, h2, h3 {{ padding: 0.2rem 0 0.4rem !important; }}
h1 {{ font-size: 2rem !important; padding-bottom: 0.8rem !important; }}
button[data-testid^="stBaseButton"] {{ min-height: 1.9rem; padding: 0 0.7rem; }}
button[data-testid="stBaseButton-tertiary"] {{ padding: 0; text-decoration: underline; }}
</style>"""
"""Streamlit's own distances are for pages that are read; this one is looked at."""


def header(settings: Settings, source: Source, machine: str | None) -> None:
    """The page's name, a field that finds a machine, and one for the name of who looks."""
    st.html(_STYLE)
    title, find, who = st.columns((4, 3, 2), vertical_alignment="bottom")
    title.title("plantwatch", anchor=False)
    with find:
        _find(_machines(settings, source), machine)
    with who:
        parts.name_field()


def footer(settings: Settings, source: Source, accounts: Accounts, service: Service) -> None:
    """Draw it, again and again."""
    draw = st.fragment(_footer, run_every=settings.streamlit.refresh_interval_sec)
    draw(settings, source, accounts, service)


def _find(machines: Sequence[MachineRow], machine: str | None) -> None:
    names = sorted(one.sensor_id for one in machines)
    chosen = st.selectbox(
        "Machine",
        names,
        index=names.index(machine) if machine in names else None,
        placeholder="find a machine",
        key=f"find-{machine}",
    )
    if chosen is not None and chosen != machine:
        parts.go_to(chosen)


def _footer(settings: Settings, source: Source, accounts: Accounts, service: Service) -> None:
    st.divider()
    last = accounts.last
    if last.account is not None:
        account = last.account
        counted = " + ".join(f"{account.counts[kind]:,} {_word(kind)}" for kind in CLASSES)
        verdict = "every reading is accounted for" if account.in_order else "**NOT IN ORDER**"
        st.caption(f"Readings: {account.received:,} received = {counted}: {verdict}.")
    if last.unknown is not None:
        before = "" if last.account is None else " What is above is from before."
        st.caption(f"Readings: not known now.{before} {parts.escaped(last.unknown)}")
    judging = _judging(_machines(settings, source))
    st.caption(_models(judging))
    # Of two that judge as many, always the same: the line must not flicker.
    most, _ = max(judging, key=lambda one: (judging[one], one), default=(None, ""))
    st.caption(service.status.sentence(settings.streamlit.api_url, most))
    read_at = fleet_view.ask(settings, source).read_at
    if read_at is not None:
        every = settings.streamlit.refresh_interval_sec
        st.caption(f"Read at {words.clock(read_at)} UTC, and anew every {every:g} s.")


def _judging(machines: Sequence[MachineRow]) -> Counter[tuple[str, str]]:
    """How many machines' newest verdict is by a model: its version, its digest."""
    return Counter(
        (one.model_version, one.model_digest[:12])
        for one in machines
        if one.model_version is not None and one.model_digest is not None
    )


def _models(judging: Counter[tuple[str, str]]) -> str:
    models = ", ".join(
        f"{parts.escaped(version)} ({digest}) judges {number:,}"
        for (version, digest), number in judging.most_common()
    )
    return f"Model: {models or 'none has judged a machine yet'}."


def _word(kind: str) -> str:
    return kind.replace("_", " ")


def _machines(settings: Settings, source: Source) -> Sequence[MachineRow]:
    answer = fleet_view.ask(settings, source)
    return answer.data.machines if answer.data is not None else ()
