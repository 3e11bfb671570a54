"""POST /detect and /detect/batch: windows judged by the model in use, answered, not stored."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from fastapi import APIRouter, Response
from pydantic import BaseModel
from starlette.routing import BaseRoute

from api.body import BodyRoute, Where, refusal
from api.production import Production
from api.schemas import (
    BatchRequest,
    BatchResponse,
    DetectRequest,
    DetectResponse,
    ModelResponse,
    Problem,
    Refused,
)
from api.telemetry import Telemetry
from api.window import columns, misfit, raw_windows
from models.onnx_detector import OnnxDetector
from plantwatch.messages import SensorContribution
from plantwatch.scoring import UnscorableError, Verdicts, by_size

_JSON: Final = "application/json"
_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    422: {"model": Refused},
    **{status: {"model": Problem} for status in (413, 415, 503)},
}


def routes(production: Production, telemetry: Telemetry, max_batch_size: int) -> list[BaseRoute]:
    """The routes; none waits for anything but the processor."""

    def judge(asked: Sequence[DetectRequest], places: Sequence[Where]) -> list[DetectResponse]:
        began = time.perf_counter()
        detector = production.detector()
        found = _judge(detector, asked, places)
        telemetry.judged(len(asked), int(found.is_anomaly.sum()))
        return _responses(detector, asked, found, 1000 * (time.perf_counter() - began))

    async def detect(body: DetectRequest) -> Response:
        """Judge one window of a machine."""
        (verdict,) = judge([body], [("window",)])
        return Response(verdict.model_dump_json(exclude_none=True), media_type=_JSON)

    def detect_batch(body: BatchRequest) -> Response:
        """Judge many windows at once."""
        number = len(body.windows)
        if number > max_batch_size:
            raise refusal({("windows",): f"{number} windows, at most {max_batch_size} are taken"})
        results = judge(body.windows, [("windows", row, "window") for row in range(number)])
        answer = BatchResponse(results=results, total_processed=number)
        return Response(answer.model_dump_json(exclude_none=True), media_type=_JSON)

    return [
        _post("/detect", detect, DetectResponse),
        _post("/detect/batch", detect_batch, BatchResponse),
    ]


def _post(path: str, function: Callable[..., Any], answer: type[BaseModel]) -> BodyRoute:
    return BodyRoute(path, function, methods=["POST"], response_model=answer, responses=_REFUSALS)


def model_router(production: Production) -> APIRouter:
    """What a window must look like."""
    routes = APIRouter()

    @routes.get("/model", responses={503: {"model": Problem}})
    def model() -> ModelResponse:
        """The model in use, and the rows and columns of the windows that it takes."""
        found = production.detector()
        card = found.card
        return ModelResponse(
            model_version=found.version,
            model_digest=found.digest,
            model_type=card.model_type,
            trained_at=card.created_at,
            trained_on=card.trained_on.source,
            rows=card.features.length,
            columns=columns(card.features),
        )

    return routes


def _judge(
    detector: OnnxDetector, asked: Sequence[DetectRequest], places: Sequence[Where]
) -> Verdicts:
    """The verdicts on all windows; with contributions where they are asked for, too.

    Raises:
        RequestValidationError: a window is of another shape, or the model has no answer for it.
    """
    features = detector.card.features
    misfits = {
        place: why
        for place, one in zip(places, asked, strict=True)
        if (why := misfit(features, one.window))
    }
    if misfits:
        raise refusal(misfits)
    windows = raw_windows(features, [one.window for one in asked])
    try:
        verdicts = detector.judge(windows)
    except UnscorableError as error:
        why = "the model has no finite score for these readings"
        raise refusal({places[row]: why for row in error.rows}) from None
    wanted = [row for row, one in enumerate(asked) if one.contributions]
    if not wanted:
        return verdicts
    contributions = np.full((len(asked), len(features.sensors)), np.nan)
    contributions[wanted] = detector.contributions(windows[wanted])
    return replace(verdicts, contributions=contributions, sensors=features.sensors)


def _responses(
    detector: OnnxDetector, asked: Sequence[DetectRequest], found: Verdicts, milliseconds: float
) -> list[DetectResponse]:
    scores, confidences = found.anomaly_score.tolist(), found.confidence.tolist()
    return [
        DetectResponse(
            sensor_id=one.sensor_id,
            timestamp=one.timestamp,
            anomaly_score=scores[row],
            is_anomaly=bool(found.is_anomaly[row]),
            confidence=confidences[row],
            model_version=detector.version,
            processing_time_ms=milliseconds,
            contributions=_contributions(found, row) if one.contributions else None,
        )
        for row, one in enumerate(asked)
    ]


def _contributions(found: Verdicts, row: int) -> list[SensorContribution]:
    assert found.contributions is not None
    return [SensorContribution(*pair) for pair in by_size(found.sensors, found.contributions[row])]
