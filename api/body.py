"""A JSON body, parsed as the stream parses readings, and checked by pydantic.

FastAPI would parse it with `json`, which takes NaN, and as long as the model does for a window.
"""

from collections.abc import Callable, Coroutine, Mapping
from inspect import iscoroutinefunction
from typing import Any

import orjson
from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.routing import request_response
from starlette.status import HTTP_415_UNSUPPORTED_MEDIA_TYPE

Where = tuple[str | int, ...]
"""The way to a field of the body."""


class BodyRoute(APIRoute):
    """A route whose function takes the body and nothing else, and returns the response.

    As with FastAPI's own: an `async` function runs on the event loop, the other kind in a thread,
    and so does the parsing.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        # Without FastAPI's exit stacks, which are for dependencies and files.
        self.app = request_response(self.get_route_handler())

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        assert self.body_field is not None
        model, endpoint = self.body_field.field_info.annotation, self.endpoint
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)

        async def on_the_loop(request: Request) -> Response:
            _check_type(request)
            answer: Response = await endpoint(_parse(model, await request.body()))
            return answer

        async def in_a_thread(request: Request) -> Response:
            _check_type(request)
            body = await request.body()
            return await run_in_threadpool(lambda: endpoint(_parse(model, body)))

        return on_the_loop if iscoroutinefunction(endpoint) else in_a_thread


def refusal(mistakes: Mapping[Where, str]) -> RequestValidationError:
    """What is well-formed and still will not do, and why, told as pydantic tells its own."""
    return RequestValidationError(
        [
            {"type": "value_error", "loc": ("body", *where), "msg": why}
            for where, why in mistakes.items()
        ]
    )


def _parse(model: type[BaseModel], body: bytes) -> BaseModel:
    try:
        try:
            return model.model_validate(orjson.loads(body))
        except orjson.JSONDecodeError:
            # pydantic's own parser takes as long again, but tells in which field a NaN stands.
            model.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        mistakes = [one | {"loc": ("body", *one["loc"])} for one in found]
        raise RequestValidationError(mistakes) from None
    raise refusal({(): "no JSON in UTF-8"})


def _check_type(request: Request) -> None:
    """Any page in a browser may send a form or plain text here, but JSON only if we let it.

    Raises:
        HTTPException: it does not say that it is JSON.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(
            HTTP_415_UNSUPPORTED_MEDIA_TYPE, "send JSON, with content-type: application/json"
        )
