"""A real browser: Debian's Chromium, driven by Playwright."""

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from plantwatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

WIDTH: Final = 1280
"""Of the page, in pixels."""

_NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> "Iterator[Browser]":
    """A browser without a window.

    Raises:
        ConfigError: there is none; the message says how to get it.
    """
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise ConfigError("no Chromium here: `apt install chromium-headless-shell`, or `chromium`")
    # Here, not above: it is for tests and this, and a development's dependency only.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        # No sandbox: Chromium has none for root, and the page is ours.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
