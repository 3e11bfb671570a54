"""A stand-in for Grafana's HTTP API: keeps what it is sent, and answers as Grafana's pages say.

It proves our calls, not that Grafana takes them: `make grafana-smoke` asks a real one.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

Json = dict[str, Any]
TOKEN: Final = "glsa_right"


@dataclass
class Grafana:
    """What the server has; tests look at it, and edit it by hand."""

    folders: dict[str, Json] = field(default_factory=dict)
    sources: dict[str, Json] = field(default_factory=dict)
    dashboards: dict[str, Json] = field(default_factory=dict)
    folder_of: dict[str, str] = field(default_factory=dict)
    versions: dict[str, list[Json]] = field(default_factory=dict)
    points: dict[str, Json] = field(default_factory=dict)
    groups: dict[str, Json] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    writes_left: int | None = None

    def serve(self, server: HTTPServer) -> str:
        server.expect_request(re.compile("/.*")).respond_with_handler(self._answer)
        return str(server.url_for("/")).rstrip("/")

    def save(self, dashboard: Json, folder: str, message: str, by: str) -> None:
        """As somebody does in the browser, or we over the API."""
        uid = dashboard["uid"]
        self.dashboards[uid] = dashboard | {"id": 7}
        self.folder_of[uid] = folder
        history = self.versions.setdefault(uid, [])
        history.append({"version": len(history) + 1, "message": message, "createdBy": by})

    def _answer(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _said({"message": "Invalid API key"}, 401)
        path = request.path.removeprefix("/api")
        if request.method != "GET":
            if self.writes_left == 0:
                return _said({"message": "database is locked"}, 500)
            if self.writes_left is not None:
                self.writes_left -= 1
            self.writes.append(f"{request.method} {path}")
        body = json.loads(request.data) if request.data and request.method != "GET" else {}
        for start, handle in self._routes().items():
            if path.startswith(start):
                return handle(request.method, path.removeprefix(start), body)
        return _said({"message": "Not found"}, 404)

    def _routes(self) -> dict[str, Callable[[str, str, Json], Response]]:
        """Longer ones first."""
        return {
            "/folders": self._folder,
            "/datasources": self._source,
            "/dashboards/db": self._save,
            "/dashboards/uid/": self._dashboard,
            "/v1/provisioning/contact-points": self._point,
            "/v1/provisioning/folder/": self._group,
        }

    def _folder(self, method: str, rest: str, body: Json) -> Response:
        if method == "GET":
            return _found(self.folders, rest.strip("/"))
        uid = body.get("uid") or rest.strip("/")
        self.folders[uid] = {"uid": uid, "title": body["title"]}
        return _said(self.folders[uid])

    def _source(self, method: str, rest: str, body: Json) -> Response:
        if method == "GET":
            return _found(self.sources, rest.removeprefix("/uid/"))
        kept = {key: value for key, value in body.items() if key != "secureJsonData"}
        self.sources[body["uid"]] = kept | {"id": 3, "readOnly": False}
        return _said({"message": "ok"})

    def _save(self, _method: str, _rest: str, body: Json) -> Response:
        self.save(body["dashboard"], body["folderUid"], body["message"], "sa-1-plantwatch")
        return _said({"status": "success"})

    def _dashboard(self, _method: str, rest: str, _body: Json) -> Response:
        uid = rest.removesuffix("/versions")
        if rest.endswith("/versions"):
            return _said({"versions": self.versions.get(uid, [])[::-1]})
        if uid not in self.dashboards:
            return _said({"message": "Dashboard not found"}, 404)
        meta = {"folderUid": self.folder_of[uid]}
        return _said({"dashboard": self.dashboards[uid], "meta": meta})

    def _point(self, method: str, _rest: str, body: Json) -> Response:
        if method == "GET":
            return _said(list(self.points.values()))
        self.points[body["uid"]] = body
        return _said(body, 202)

    def _group(self, method: str, rest: str, body: Json) -> Response:
        title = rest.partition("/rule-groups/")[2]
        if method == "GET":
            return _found(self.groups, title)
        self.groups[title] = body
        return _said(body)


def _found(kept: dict[str, Json], uid: str) -> Response:
    return _said(kept[uid]) if uid in kept else _said({"message": "not found"}, 404)


def _said(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, content_type="application/json")
