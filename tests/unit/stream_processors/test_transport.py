"""What the transport does when a take-over does not succeed."""

import asyncio
from collections.abc import Mapping
from typing import Any

from confluent_kafka import TopicPartition

from plantwatch.errors import UnavailableError
from stream_processors.transport import Completed, Consumer, Hooks


class Bare(Consumer):
    """Only what a take-over looks at."""

    def __init__(self, hooks: Hooks) -> None:
        type(self).hooks = hooks
        self._epoch = 1
        self._assigned = {}


# A read-back that fails ends the process: Faust would log it, and wait for ever with a worker that
# is in its group and does nothing.
def test_a_failed_read_back_ends_the_worker() -> None:
    away, failures = UnavailableError("the broker went away"), list[BaseException]()

    async def rebuild(_: Mapping[int, TopicPartition]) -> Any:
        raise away

    def own(_: Any) -> Mapping[int, Completed]:
        raise AssertionError("there is nothing to own")

    async def before_commit() -> bool:
        raise AssertionError("there is nothing to commit")

    hooks = Hooks(rebuild, own, before_commit, failures.append)
    asyncio.run(Bare(hooks).perform_seek())
    assert failures == [away]
