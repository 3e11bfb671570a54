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


# In a container it must listen beyond, and somebody says that its port goes no further than this
# machine; who calls it by another name is turned away all the same.
def test_a_container_may_say_that_it_is_not_seen() -> None:
    environ = {"STREAMLIT_HOST": "0.0.0.0", "STREAMLIT_BEHIND_LOOPBACK": "true"}  # noqa: S104 - in a container
    chosen = options(load(CONFIGS, environ))
    assert chosen["server.address"] == environ["STREAMLIT_HOST"]
    assert set(chosen["server.allowedHosts"].split(",")) == {"127.0.0.1", "localhost", "::1"}
