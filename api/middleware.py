"""What every request passes: it is timed, named and logged; let in; and kept short.

Plain ASGI: Starlette's BaseHTTPMiddleware would put a task and a queue around each.
"""

import hmac
import itertools
import re
import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import structlog
from fastapi.responses import JSONResponse
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.telemetry import Telemetry
from plantwatch.settings.serving import LOOPBACK_NAMES

OPEN: Final = frozenset({"/health", "/healthz", "/readyz", "/metrics"})
"""Probes and Prometheus, who know no key; they tell of no machine."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_RUN: Final = uuid.uuid4().hex
_NUMBERS: Final = itertools.count(1)
"""Ids of ours are the run's and a number: random ones would each be a call of the kernel."""
_PATH_SHOWN: Final = 200
_GONE: Final = 499
"""nginx's number for a caller who did not wait."""


class Observed:
    """Gives each request an id, logs it, counts it; turns what escapes into a plain 500."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry
        # Made once: it is as dear as the line itself.
        self._log = structlog.get_logger().bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        request_id = _request_id(scope)

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"server-timing", f"app;dur={_milliseconds(began)}".encode()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, named)
        except Exception:  # noqa: BLE001 - logged whole, told as a 500
            self._log.exception("a request failed", request_id=request_id)
            if not status:
                why = f"an error of ours, logged under request {request_id}"
                await refuse(HTTPStatus.INTERNAL_SERVER_ERROR, why)(scope, receive, named)
        self._finished(scope, status or _GONE, began, request_id)

    def _finished(self, scope: Scope, status: int, began: float, request_id: str) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self._telemetry.finished(route, status, time.perf_counter() - began)
        # Probes come every few seconds; one that fails is news.
        quiet = route in OPEN and status == HTTPStatus.OK
        say = self._log.debug if quiet else self._log.info
        say(
            "request",
            request_id=request_id,
            method=scope["method"],
            path=scope["path"][:_PATH_SHOWN],
            status=status,
            ms=_milliseconds(began),
            client=(scope.get("client") or ("",))[0],
        )


class Guarded:
    """Asks for the key, if there is one; without one, only this machine's own may come."""

    def __init__(self, app: ASGIApp, key: SecretStr | None) -> None:
        self._app = app
        self._key = None if key is None else key.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN:
            answer = self._refusal(Headers(scope=scope))
            if answer is not None:
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> JSONResponse | None:
        if self._key is None:
            # Another site, its name turned to 127.0.0.1, could read all answers in a browser.
            if _name(headers.get("host", "")) in LOOPBACK_NAMES:
                return None
            why = "without an API key only this machine is served: ask 127.0.0.1, or set API_KEY"
            return refuse(HTTPStatus.MISDIRECTED_REQUEST, why)
        # In the same time whatever is sent, or the key could be found out letter by letter.
        if hmac.compare_digest(headers.get("x-api-key", "").encode("latin-1"), self._key):
            return None
        why = "send the API key in the header X-API-Key"
        return refuse(HTTPStatus.UNAUTHORIZED, why, {"www-authenticate": "X-API-Key"})


class Limited:
    """Takes a body in, piece by piece, before anything looks at it, and never more than so much."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await self._whole(Headers(scope=scope), receive)
        if body is None:
            why = f"the body is longer than {self._max_bytes} bytes; send less at once"
            await refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)(scope, receive, send)
            return
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, replayed, send)

    async def _whole(self, headers: Headers, receive: Receive) -> bytes | None:
        """The body; None: it is too long, or says that it will be."""
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._max_bytes:
            return None
        pieces, length, more = [], 0, True
        while more:
            message = await receive()
            piece: bytes = message.get("body", b"")  # none where the caller has gone
            length += len(piece)
            if length > self._max_bytes:
                return None
            pieces.append(piece)
            more = message.get("more_body", False)
        return b"".join(pieces)


def refuse(status: int, why: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer that says in one line why there is no other."""
    return JSONResponse({"detail": why}, int(status), dict(headers or {}))


def _request_id(scope: Scope) -> str:
    """The caller's own, so that its logs and ours meet, unless it is odd."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else f"{_RUN}-{next(_NUMBERS)}"


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _milliseconds(began: float) -> float:
    return round(1000 * (time.perf_counter() - began), 3)
