"""The live page as a process of a test's own, and a browser, where there is one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from benchmarks import browser
from local_stack.process import answers
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from tests.support.commands import Command


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; skips the test where there is none, and says how to get it."""
    try:
        with browser.chromium() as found:
            yield found
    except ConfigError as error:
        pytest.skip(str(error))


@contextmanager
def page_of(settings: Settings, folder: Path) -> Iterator[str]:
    """`plantwatch dashboard`, answering; its address."""
    address = f"http://{settings.streamlit.host}:{settings.streamlit.port}"
    command = Command(folder, settings, "dashboard")
    try:
        command.until(lambda: _answers(f"{address}/_stcore/health"))
        yield address
    finally:
        command.end()


def _answers(url: str) -> bool:
    try:
        return answers(url)
    except OSError:
        return False
