"""The live page as a process, and Debian's Chromium to look at it with."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

from local_stack.process import answers
from plantwatch.settings import Settings
from tests.support.commands import Command

WIDTH: Final = 1280
_NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("no Chromium here: `apt install chromium-headless-shell`, or `chromium`")
    with sync_playwright() as playwright:
        # No sandbox: Chromium has none to offer to root, and the page is ours.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


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
