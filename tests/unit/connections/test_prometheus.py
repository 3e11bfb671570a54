"""Where metrics are served."""

from contextlib import suppress
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from connections.prometheus import Exporter
from local_stack.free import free_ports
from plantwatch.configuration import load
from plantwatch.errors import ConfigError
from tests.support.servers import CONFIGS


# On this machine only, unless it is told otherwise; a taken port is one line with its variable.
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_metrics_are_served_where_the_settings_say(host: str) -> None:
    metrics = load(CONFIGS, {"METRICS_HOST": host}).metrics
    [port] = free_ports(1)
    Exporter().start(metrics, port, "WORKER_METRICS_PORT")
    served = set()
    for asked in ("127.0.0.1", "127.0.0.2"):
        with suppress(URLError), urlopen(f"http://{asked}:{port}/metrics", timeout=5):
            served.add(asked)
    assert served == {host}
    with pytest.raises(ConfigError, match=f"port {port}.* set WORKER_METRICS_PORT"):
        Exporter().start(metrics, port, "WORKER_METRICS_PORT")
