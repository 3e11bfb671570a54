"""Streamlit started: on this machine only, and telling nobody."""

import sys
from pathlib import Path
from typing import Final

from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from plantwatch.settings.serving import LOOPBACK_NAMES

_SCRIPT: Final = Path(__file__).with_name("app.py")


def options(settings: Settings) -> dict[str, str]:
    """Streamlit's own options, in its spelling.

    Raises:
        ConfigError: `streamlit.host` is not this machine's own: the page has no login, and whoever
            reaches it may acknowledge. Unless `streamlit.behind_loopback` says that only this
            machine does.
    """
    page = settings.streamlit
    if page.host not in LOOPBACK_NAMES and not page.behind_loopback:
        raise ConfigError(
            f"STREAMLIT_HOST={page.host} would show the page, which knows no login, to everybody "
            "there; keep to 127.0.0.1, and let a proxy that asks for a password lead to it"
        )
    return {
        "server.address": page.host,
        "server.port": str(page.port),
        # Else another site, its name turned to 127.0.0.1, could speak to the page from a browser.
        "server.allowedHosts": ",".join(LOOPBACK_NAMES),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "global.developmentMode": "false",
        "runner.magicEnabled": "false",
    }


def serve(settings: Settings) -> None:
    """Serve the page until SIGTERM or Ctrl-C.

    Raises:
        ConfigError: as `options`.
    """
    arguments = [
        f"--{name}={value}"
        for name, values in options(settings).items()
        for value in values.split(",")
    ]
    # Here, not above: a second, which the command's --help would take.
    from streamlit.web import cli  # noqa: PLC0415

    # The page's own modules, so that it is not the first to look who waits for them.
    from dashboard import accounts, frame, machine_view  # noqa: F401, PLC0415

    sys.exit(cli.main(["run", str(_SCRIPT), *arguments], prog_name="plantwatch dashboard"))
