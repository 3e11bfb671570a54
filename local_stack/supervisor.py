"""Starts the processes in order and stops them in reverse order."""

import asyncio
from collections.abc import Sequence

from local_stack.keeper import Keeper, Surroundings
from local_stack.process import Process, Status


class Supervisor:
    """Runs stages of processes: all of one are ready before the next one starts."""

    def __init__(self, stages: Sequence[Sequence[Process]], around: Surroundings) -> None:
        self._stages = [[Keeper(process, around) for process in stage] for stage in stages]

    @property
    def statuses(self) -> list[Status]:
        """Of every process, in the order of the start."""
        return [keeper.status for stage in self._stages for keeper in stage]

    async def start(self) -> None:
        """Start all; returns when each is ready or waits for a person.

        Raises:
            UnavailableError: one was not ready in time; the caller stops the others.
        """
        for stage in self._stages:
            await asyncio.gather(*(keeper.start() for keeper in stage))

    async def stop(self) -> None:
        """Stop whatever was started; returns when all is gone."""
        for stage in reversed(self._stages):
            await asyncio.gather(*(keeper.stop() for keeper in stage))
