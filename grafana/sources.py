"""The two data sources as Grafana knows them."""

from collections.abc import Iterator
from typing import Final

from grafana.spec import Json
from grafana.variables import PLUGINS
from plantwatch.settings import Settings

PROMETHEUS_UID: Final = "plantwatch-prometheus"
POSTGRES_UID: Final = "plantwatch-postgres"
_POSTGRES_VERSION: Final = 1500


def sources(settings: Settings) -> Iterator[Json]:
    """Both, the password of the reader included: what only looks needs no more."""
    yield {
        "uid": PROMETHEUS_UID,
        "name": "plantwatch Prometheus",
        "type": PLUGINS["prometheus"],
        "access": "proxy",
        "url": settings.grafana.prometheus_url,
        # $__rate_interval is four times this.
        "jsonData": {"timeInterval": f"{settings.stack.scrape_interval_sec:g}s"},
    }
    postgres = settings.postgres
    password = postgres.reader_password
    yield {
        "uid": POSTGRES_UID,
        "name": "plantwatch PostgreSQL",
        "type": PLUGINS["postgres"],
        "access": "proxy",
        "url": settings.grafana.postgres_address,
        "user": postgres.reader_user,
        "jsonData": {
            "database": postgres.db,
            "sslmode": "disable",
            "postgresVersion": _POSTGRES_VERSION,
        },
        "secureJsonData": {"password": password.get_secret_value() if password else ""},
    }
