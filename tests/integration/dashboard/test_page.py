"""The live page in a real browser, on a real PostgreSQL that comes and goes."""

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import local_stack
from benchmarks.page import fill as fill_by_the_thousand
from connections.postgres import session
from dashboard.queries import fleet as ask_for_fleet
from incidents import queries
from local_stack.free import free_addresses
from models.cache import load_production
from plantwatch.configuration import load, with_changes
from plantwatch.settings import Settings
from sinks.migrate import upgrade
from tests.support import stored
from tests.support.browser import chromium, page_of
from tests.support.servers import CONFIGS
from tests.support.small_plant import fill
from tests.support.small_training import cached_model, small_fleet
from tests.support.waiting import PATIENCE_SEC, until

pytestmark = pytest.mark.real

expect.set_options(timeout=PATIENCE_SEC * 1000)
_CLICK_SEC = 5.0
"""How soon a click that was not lost shows in the database."""


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[local_stack.Plan]:
    """PostgreSQL in a folder of its own, to start and to stop; no Kafka at all."""
    environ = free_addresses() | {"STREAMLIT_REFRESH_INTERVAL_SEC": "0.5"}
    # Not pytest's folder: PostgreSQL's own user may not enter that.
    with tempfile.TemporaryDirectory(prefix="plantwatch-") as folder:
        cached_model(tmp_path / "models")
        own = with_changes(load(CONFIGS, environ), "model", cache=tmp_path / "models")
        yield local_stack.plan(own, ["postgres"], Path(folder))


@contextmanager
def opened(settings: Settings, folder: Path) -> Iterator[Page]:
    """The page in a browser, which must find everything it needs on this machine."""
    with chromium() as browser, page_of(settings, folder) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        yield page
        foreign = [url for url in asked if not url.startswith((address, "data:", "blob:", "ws:"))]
        assert foreign == []


# At three in the morning: what is wrong, who is at it, what the machine's sensors say. The page
# says what is missing in words, from an empty database on, and goes on by itself.
def test_somebody_is_called(planned: local_stack.Plan, tmp_path: Path) -> None:
    settings = planned.settings
    with ExitStack() as server:
        server.enter_context(local_stack.running(planned))
        with opened(settings, tmp_path) as page:
            expect(page.get_by_text("run plantwatch migrate")).to_be_visible()
            upgrade(settings)
            expect(page.get_by_text("Nothing is stored yet.")).to_be_visible()

            with stored.owner(settings) as owner:
                now = datetime.now(UTC)
                failing = fill(owner, small_fleet("test"), load_production(settings), now)
            assert len(failing) >= 2
            expect(page.get_by_text("12 machines, worst first")).to_be_visible()
            expect(page.get_by_role("button", name="Acknowledge")).to_have_count(len(failing))
            expect(page.get_by_text("Readings: not known now.")).to_be_visible()
            expect(page.get_by_text("isolation_forest_v1")).to_be_visible()
            expect(page.get_by_text("does not answer")).to_be_visible()  # the API: not started

            acknowledge(settings, page)
            look_at_a_machine(page, failing[0])
            server.close()
            expect(page.get_by_text("PostgreSQL cannot be read since")).to_be_visible()
            expect(page.get_by_text("goes on by itself")).to_be_visible()
            expect(page.locator(".js-plotly-plot")).to_have_count(3)

            server.enter_context(local_stack.running(planned))
            expect(page.get_by_text("PostgreSQL cannot be read since")).to_have_count(0)
            expect(page.locator(".js-plotly-plot")).to_have_count(3)


def acknowledge(settings: Settings, page: Page) -> None:
    """Acknowledge one, and another that somebody else is acknowledging in this moment."""
    page.get_by_role("textbox", name="You are").fill("Ada")
    page.get_by_role("textbox", name="You are").press("Enter")
    buttons = page.get_by_role("button", name="Acknowledge")
    before = buttons.count()
    buttons.last.click()
    expect(page.get_by_text(re.compile(r"Incident \d+ of .* is yours, Ada"))).to_be_visible()
    expect(buttons).to_have_count(before - 1)
    with session(settings, "reader") as reader:
        everyone = queries.listed(reader, queries.Choice(), 99)
    assert [one.acknowledged_by for one in everyone if one.acknowledged_at] == ["Ada"]

    with stored.owner(settings) as owner:
        with owner.transaction():
            owner.execute(
                "UPDATE incidents SET acknowledged_by = 'Ben', acknowledged_at = now() "
                "WHERE acknowledged_at IS NULL"
            )
            until(lambda: clicked(buttons.first, settings))
        expect(page.get_by_text(re.compile("Not acknowledged.*already: by Ben"))).to_be_visible()
        expect(buttons).to_have_count(0)  # All is drawn: until then rows move under a click.


def clicked(button: Locator, settings: Settings) -> bool:
    """Click; whether the page then waits for a row that another has changed and not committed.

    A click that meets a row while it takes another place is lost, so people click again.
    """
    button.click()
    end = time.monotonic() + _CLICK_SEC
    while time.monotonic() < end:
        if is_waited_for(settings):
            return True
    return False


def is_waited_for(settings: Settings) -> bool:
    """Whether somebody waits for a row that another has changed and not committed."""
    with stored.owner(settings) as connection:
        row = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return row is not None and row[0] > 0


def look_at_a_machine(page: Page, machine: str) -> None:
    """By its name in the list; its charts, and back, and there again by its tile."""
    page.get_by_role("button", name=machine).click()
    expect(page.get_by_role("heading", name=machine)).to_be_visible()
    for heading in ("Score", "Sensors", "What each sensor adds to the score"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    expect(page.get_by_text("Newest window: sensor")).to_be_visible()
    page.get_by_role("button", name="Fleet").click()
    expect(page.get_by_text("12 machines, worst first")).to_be_visible()
    page.locator(".tiles a").first.click()
    expect(page.get_by_role("heading", name="Sensors")).to_be_visible()
    expect(page.get_by_role("textbox", name="You are")).to_have_value("Ada")


# A thousand machines are read in a fraction of a second, however long their history, and all shown.
def test_a_thousand_machines(planned: local_stack.Plan, tmp_path: Path) -> None:
    with local_stack.running(planned) as stack:
        upgrade(stack.settings)
        fill_by_the_thousand(stack.settings, machines=1000, cycles=100, incidents=30)
        with session(stack.settings, "reader") as reader:
            begun = datetime.now(UTC)
            assert len(ask_for_fleet(reader)) == 1000
            assert (datetime.now(UTC) - begun).total_seconds() < 1
        with opened(stack.settings, tmp_path) as page:
            expect(page.get_by_text("1,000 machines, worst first")).to_be_visible()
            expect(page.locator(".tiles a")).to_have_count(1000)
            expect(page.get_by_text("These are the first 8")).to_be_visible()
