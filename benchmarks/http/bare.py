"""onnxruntime behind uvicorn and nothing else: the least that serving this network costs.

It parses a window, computes the features and runs the network; it checks nothing, knows no routes,
keeps no log and answers with the raw score alone.

    python -m benchmarks.http.bare      (the settings, and so the port, come from the environment)
"""

from pathlib import Path

import numpy as np
import onnxruntime
import orjson
import uvicorn
from starlette.types import Receive, Scope, Send

from api.window import raw_windows
from models.cache import read_production
from models.card import read_artifact
from plantwatch.configuration import environment, load
from plantwatch.features import model_input

_JSON = [(b"content-type", b"application/json")]


class Bare:
    """An ASGI application for POST of {"window": [[...], ...]}, whatever the path."""

    def __init__(self, cache: Path) -> None:
        """Serve the production model of a cache, in one thread as the API does."""
        digest = read_production(cache).digest
        card, network = read_artifact(cache / digest, digest)
        self._features = card.features
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            network, options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answer = orjson.dumps({"raw": self._raw(orjson.loads(body)["window"])}) if body else b""
        await send({"type": "http.response.start", "status": 200, "headers": _JSON})
        await send({"type": "http.response.body", "body": answer})

    def _raw(self, window: list[list[float]]) -> float:
        features = model_input(self._features, raw_windows(self._features, [window]))
        (raw,) = self._session.run(["raw"], {self._input: features})
        return float(np.asarray(raw)[0])


if __name__ == "__main__":
    settings = load(Path("configs"), environment())
    uvicorn.run(
        Bare(settings.model.cache),
        port=settings.api.port,
        access_log=False,
        log_level="critical",
        lifespan="off",
    )
