"""Looks for other models while the worker works: to swap to, or to score in shadow."""

import asyncio
from contextlib import suppress
from typing import Protocol

import structlog

from plantwatch.errors import ConfigError
from plantwatch.scoring import Detector
from stream_processors.telemetry import Telemetry
from stream_processors.transport import Consumer
from stream_processors.worker import Worker

log = structlog.get_logger()


class Models(Protocol):
    """Who knows which models to use; asked in a thread, for loading one takes a while."""

    def newer(self, current: Detector) -> Detector | None:
        """Another model to use instead of `current`, or None.

        Raises:
            ConfigError: one is named but cannot be used; the present one stays.
        """
        ...

    def challenger(self, current: Detector | None) -> Detector | None:
        """The model to score in shadow from now on, which may be `current`, or None for none.

        Raises:
            ConfigError: one is named but cannot be used; there is none then.
        """
        ...

    def last_contact(self) -> float:
        """When the registry last answered, in seconds since 1970; 0 for never."""
        ...

    def trained_at(self, digest: str) -> float:
        """When a model that is in use was trained, in seconds since 1970.

        Raises:
            ConfigError: its card is damaged since.
        """
        ...


class ModelWatch:
    """Says once why a model that is named cannot be used, and goes on without it."""

    def __init__(self, models: Models, worker: Worker, telemetry: Telemetry) -> None:
        self._models = models
        self._worker = worker
        self._telemetry = telemetry
        self._refusals: dict[str, str] = {}
        self._dated = ""

    async def run(self, consumer: Consumer, every: float) -> None:
        """Look every `every` seconds, for ever."""
        while True:
            await asyncio.sleep(every)
            await self.look_for_newer(consumer)
            await self.look_for_challenger()

    async def look_for_newer(self, consumer: Consumer) -> None:
        try:
            detector = await asyncio.to_thread(self._models.newer, self._worker.detector)
        except ConfigError as error:
            self._refused("production", error)
            return
        self._refusals.pop("production", None)
        if detector is not None:
            await self._worker.swap(consumer, detector)

    async def look_for_challenger(self) -> None:
        self._telemetry.registry_contact(self._models.last_contact())
        self._date_model()
        challenger = None
        try:
            challenger = await asyncio.to_thread(self._models.challenger, self._worker.challenger)
        except ConfigError as error:
            self._refused("challenger", error)
        else:
            self._refusals.pop("challenger", None)
        self._worker.challenge(challenger)

    def _date_model(self) -> None:
        """When the model in use was trained; once for each, for its files are read and checked."""
        digest = self._worker.detector.digest
        if digest != self._dated:
            self._dated = digest
            with suppress(ConfigError):
                self._telemetry.trained(self._models.trained_at(digest))

    def _refused(self, role: str, error: ConfigError) -> None:
        if self._refusals.get(role) != str(error):
            self._refusals[role] = str(error)
            self._telemetry.refused(role)
            log.warning("another model is named but cannot be used", role=role, why=str(error))
