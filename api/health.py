"""How it is: for people, probes and Prometheus."""

import math

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api.production import Production
from api.schemas import Alive, Health, Problem


def router(production: Production, registry: CollectorRegistry) -> APIRouter:
    """The routes; none asks a database, or probes would end a healthy process with it."""
    routes = APIRouter()

    @routes.get("/health", response_model=Health, responses={503: {"model": Health}})
    async def health() -> Response:
        """Whether windows can be judged, and by which model."""
        version = production.version
        loaded = version is not None
        answer = Health(
            status="healthy" if loaded else "unhealthy", model_loaded=loaded, model_version=version
        )
        return JSONResponse(answer.model_dump(), 200 if loaded else 503)

    @routes.get("/healthz")
    async def healthz() -> Alive:
        """Whether the process lives: restart it when this is silent."""
        return Alive()

    @routes.get("/readyz", responses={503: {"model": Problem}})
    async def readyz() -> Alive:
        """Whether to send requests here: there is a model."""
        production.detector()
        return Alive()

    @routes.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes


def retry_after(seconds: float) -> dict[str, str]:
    """The header that says when to ask again: whole seconds, at least one."""
    return {"retry-after": str(max(1, math.ceil(seconds)))}
