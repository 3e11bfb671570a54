"""A Grafana server: what of ours it has, and how to change that. Each failure is one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException
from niquests.exceptions import RequestException

from grafana.spec import Json
from plantwatch.errors import ConfigError, UnavailableError
from plantwatch.settings import Settings

_DENIED: Final = (401, 403)
_MISSING: Final = 404


class Server:
    """The calls that we need, each of them once; grafana-client has no types and no upsert."""

    def __init__(self, settings: Settings) -> None:
        """Connect to nothing yet.

        Raises:
            ConfigError: no token is set.
        """
        self.url = settings.alerts.grafana_url.rstrip("/")
        token = settings.grafana.token
        if token is None:
            raise ConfigError(
                f"no token for Grafana at {self.url}; make a service account with the role Admin "
                "there, and set GRAFANA_TOKEN to a token of it"
            )
        self._api: Any = GrafanaApi.from_url(
            self.url, token.get_secret_value(), timeout=settings.grafana.deadline_sec
        )

    def folder(self, uid: str) -> Json | None:
        return self._answer_or_none(lambda: self._api.folder.get_folder(uid))

    def make_folder(self, uid: str, title: str) -> None:
        self._answer(lambda: self._api.folder.create_folder(title, uid=uid))

    def rename_folder(self, uid: str, title: str) -> None:
        self._answer(lambda: self._api.folder.update_folder(uid, title=title, overwrite=True))

    def source(self, uid: str) -> Json | None:
        return self._answer_or_none(lambda: self._api.datasource.get_datasource_by_uid(uid))

    def put_source(self, source: Json, *, exists: bool) -> None:
        change = self._api.datasource
        if exists:
            self._answer(lambda: change.update_datasource_by_uid(source["uid"], source))
        else:
            self._answer(lambda: change.create_datasource(source))

    def dashboard(self, uid: str) -> Json | None:
        """Its JSON and `meta`."""
        return self._answer_or_none(lambda: self._api.dashboard.get_dashboard(uid))

    def newest_version(self, uid: str) -> Json:
        """Who saved it last, and with which message; {} if that is not known."""
        listed = self._answer(
            lambda: self._api.dashboard_versions.get_dashboard_versions_by_uid(uid, limit=1)
        )
        # Since Grafana 11 in an object, before that as a list.
        versions = listed.get("versions", []) if isinstance(listed, dict) else listed
        return max(versions, key=lambda one: int(one["version"]), default={})

    def put_dashboard(self, dashboard: Json, folder_uid: str, message: str) -> None:
        wanted = {
            "dashboard": dashboard,
            "folderUid": folder_uid,
            "overwrite": True,
            "message": message,
        }
        self._answer(lambda: self._api.dashboard.update_dashboard(wanted))

    def contact_points(self) -> list[Json]:
        found = self._answer(self._api.alertingprovisioning.get_contactpoints)
        return cast("list[Json]", found)

    def put_contact_point(self, point: Json, *, exists: bool) -> None:
        change = self._api.alertingprovisioning
        if exists:
            self._answer(lambda: change.update_contactpoint(point["uid"], point))
        else:
            self._answer(lambda: change.create_contactpoint(point))

    def rule_group(self, folder_uid: str, title: str) -> Json | None:
        return self._answer_or_none(
            lambda: self._api.alertingprovisioning.get_rule_group(folder_uid, title)
        )

    def put_rule_group(self, folder_uid: str, group: Json) -> None:
        change = self._api.alertingprovisioning
        self._answer(lambda: change.update_rule_group(folder_uid, group["title"], group))

    def _answer_or_none(self, ask: Callable[[], Any]) -> Json | None:
        """What it answers; None where there is none."""
        with self._explained():
            try:
                found = ask()
            except GrafanaClientError as error:
                if error.status_code == _MISSING:
                    return None
                raise
        if isinstance(found, dict):
            return found
        raise UnavailableError(
            f"what answers at {self.url} is no Grafana; set ALERTS_GRAFANA_URL to where one is"
        )

    def _answer(self, ask: Callable[[], Any]) -> Any:
        with self._explained():
            return ask()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except GrafanaException as error:
            raise self._explanation(error) from None
        except (RequestException, ValueError, OSError) as error:
            # Its text is a dump of pools and retries.
            why = type(error).__name__
            raise UnavailableError(
                f"no Grafana answers at {self.url} ({why}); start it, or set ALERTS_GRAFANA_URL"
            ) from None

    def _explanation(self, error: GrafanaException) -> ConfigError | UnavailableError:
        reason = " ".join(str(error.message).split())[:160]
        if error.status_code in _DENIED:
            return ConfigError(
                f"Grafana at {self.url} refuses the token ({error.status_code}: {reason}); set "
                "GRAFANA_TOKEN to one of a service account with the role Admin"
            )
        if isinstance(error, GrafanaClientError):
            return ConfigError(
                f"Grafana at {self.url} does not take what it was sent ({reason}); plantwatch "
                "needs Grafana 12.1.2 or newer"
            )
        return UnavailableError(f"Grafana at {self.url} cannot now ({reason}); try again later")
