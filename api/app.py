"""The application: its routes, what stands before them, and how errors are told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware import Middleware

from api import detect, health, stored
from api.health import retry_after
from api.middleware import Guarded, Limited, Observed, refuse
from api.production import NoModelError, Production
from api.schemas import MAX_MISTAKES, Refused
from api.store import Store
from api.telemetry import Telemetry
from connections.prometheus import Exporter
from models.cache import Fetched
from plantwatch.errors import PlantwatchError
from plantwatch.settings import Settings

VERSION: Final = "1"
"""Of the contract: another one when a caller must change."""
_ASK_AGAIN_SEC: Final = 5.0
"""What a caller is told to wait for a database to come back."""


def build(settings: Settings) -> FastAPI:
    """The application of these settings, with the model loaded if there is one."""
    exporter = Exporter()
    telemetry = Telemetry(exporter)
    production = Production(Fetched(settings), telemetry)
    store = Store(settings)
    app = FastAPI(
        title="plantwatch",
        version=VERSION,
        description="Judges windows of machines' readings, and tells what is stored of them.",
        # Their pages load scripts from elsewhere; /openapi.json is there for any client.
        docs_url=None,
        redoc_url=None,
        # We count and log by ourselves; OpenTelemetry would be asked for its own at each request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_living(production, store, settings.model.refresh_sec),
        responses={422: {"model": Refused}},
        # Not by a router: FastAPI looks twice for what is in one, and a verdict is so short that it
        # shows.
        routes=detect.routes(production, telemetry, settings.api.max_batch_size),
        middleware=[
            Middleware(Observed, telemetry=telemetry),
            Middleware(Guarded, key=settings.api.key),
            Middleware(Limited, max_bytes=settings.api.max_body_bytes),
        ],
    )
    app.include_router(detect.model_router(production))
    app.include_router(health.router(production, exporter.registry))
    app.include_router(stored.router(store, settings.api))
    _tell_errors(app, settings)
    return app


def described(settings: Settings) -> str:
    """The application's OpenAPI document, which depends on no model and no secret."""
    return json.dumps(build(settings).openapi(), indent=2) + "\n"


def _living(
    production: Production, store: Store, every: float
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(production.follow(every))
        yield
        following.cancel()
        store.close()

    return living


def _tell_errors(app: FastAPI, settings: Settings) -> None:
    @app.exception_handler(RequestValidationError)
    async def _refused(_request: Request, error: RequestValidationError) -> JSONResponse:
        """Without what was sent: it may be long, and no JSON."""
        mistakes = [
            {"loc": list(one["loc"]), "type": one["type"], "msg": one["msg"]}
            for one in error.errors()[:MAX_MISTAKES]
        ]
        return JSONResponse({"detail": mistakes}, 422)

    @app.exception_handler(PlantwatchError)
    async def _cannot(_request: Request, error: PlantwatchError) -> JSONResponse:
        """No model yet, or PostgreSQL away: both come back by themselves, or by somebody's help."""
        soon = settings.model.refresh_sec if isinstance(error, NoModelError) else _ASK_AGAIN_SEC
        return refuse(503, str(error), retry_after(soon))
