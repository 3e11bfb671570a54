"""The model in use, and how it becomes another one while requests come in."""

import asyncio

import structlog

from api.telemetry import Telemetry
from models.cache import Fetched
from models.onnx_detector import OnnxDetector
from plantwatch.errors import ConfigError, UnavailableError

log = structlog.get_logger()


class NoModelError(UnavailableError):
    """There is no model to judge with: ask again later (exit 69)."""


class Production:
    """Follows the model that the registry calls production, as the worker does.

    A request takes the detector once and keeps it: what it judges is all by one model.
    """

    def __init__(self, models: Fetched, telemetry: Telemetry) -> None:
        """Load it if there is one; look again and again with `follow`."""
        self._models = models
        self._telemetry = telemetry
        self._detector: OnnxDetector | None = None
        self._refusal = ""
        self.look()

    @property
    def version(self) -> str | None:
        """What verdicts are by now; None: nobody judges yet."""
        return None if self._detector is None else self._detector.version

    def detector(self) -> OnnxDetector:
        """The model in use.

        Raises:
            NoModelError: there is none yet.
        """
        if self._detector is None:
            raise NoModelError(self._refusal)
        return self._detector

    async def follow(self, every: float) -> None:
        """Look every `every` seconds, for ever."""
        while True:
            await asyncio.sleep(every)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Take up another model if one is named; blocks while it is loaded and tried."""
        try:
            found = self._models.newer(self._detector)
        except ConfigError as error:
            self._refused(str(error))
            return
        self._refusal = ""
        if found is not None:
            log.info("model in use", before=self.version, now=found.version)
            self._detector = found
            self._telemetry.model(found.version, found.digest)

    def _refused(self, why: str) -> None:
        if why != self._refusal:
            self._refusal = why
            self._telemetry.refused()
            log.warning("the production model cannot be used", why=why)
