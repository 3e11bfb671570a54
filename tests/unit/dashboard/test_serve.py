"""How the page is served."""

import pytest

from dashboard.serve import options
from plantwatch.configuration import load
from plantwatch.errors import ConfigError
from tests.support.servers import CONFIGS


# Nobody outside this machine reaches a page without a login, and nobody outside is told of it.
def test_it_keeps_to_itself() -> None:
    chosen = options(load(CONFIGS, {}))
    assert chosen["server.address"] == "127.0.0.1"
    assert chosen["browser.gatherUsageStats"] == "false"
    with pytest.raises(ConfigError, match="knows no login"):
        options(load(CONFIGS, {"STREAMLIT_HOST": "0.0.0.0"}))  # noqa: S104 - refused
