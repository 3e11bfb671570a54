"""The failpoints: instants at which a process can be made to die, and which they are in the code.

A point lies just before or just after the call of one function, so the pipeline's own code knows
nothing of them: `faults.armed` wraps the functions. A renamed function fails the suite.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class Role(StrEnum):
    """A process of the pipeline, by the word that starts it: `plantwatch <role>`."""

    PRODUCER = "replay"
    WORKER = "worker"
    SINK = "sink"


@dataclass(frozen=True, slots=True)
class Point:
    """Just `when` the function `name` of `module` is called or has returned.

    An order may wait for one of the next `passes`: many where it is passed many times a second. 0:
    it is passed only while a process starts.
    """

    role: Role
    module: str
    name: str
    when: Literal["before", "after"]
    passes: int = 20


_P, _W, _S = Role.PRODUCER, Role.WORKER, Role.SINK

POINTS: Final[dict[str, Point]] = {
    "producer-before-produce": Point(
        _P, "producers.delivery", "Delivery.offer", "before", passes=1000
    ),
    "producer-produced-not-acked": Point(
        _P, "producers.delivery", "Delivery.offer", "after", passes=1000
    ),
    "producer-acked-not-saved": Point(
        _P, "producers.manifest", "Manifest.save", "before", passes=3
    ),
    "producer-manifest-saved": Point(_P, "producers.manifest", "Manifest.save", "after", passes=3),
    "worker-starting": Point(_W, "models.cache", "load_production", "before", passes=0),
    "worker-before-scoring": Point(_W, "stream_processors.chunks", "process", "before"),
    "worker-scored-not-produced": Point(_W, "stream_processors.chunks", "process", "after"),
    "worker-produced-in-part": Point(_W, "connections.kafka", "CheckedProducer.send", "after"),
    "worker-produced-not-acked": Point(_W, "stream_processors.worker", "Worker.process", "after"),
    "worker-before-flush": Point(
        _W, "connections.kafka", "CheckedProducer.flush", "before", passes=3
    ),
    "worker-acked-not-committed": Point(
        _W, "connections.kafka", "CheckedProducer.flush", "after", passes=3
    ),
    "worker-committed": Point(
        _W, "stream_processors.consumer_thread", "ConsumerThread.commit", "after", passes=3
    ),
    "worker-in-read-back": Point(
        _W, "stream_processors.partition", "Partition.restore", "after", passes=0
    ),
    "worker-taking-over": Point(_W, "stream_processors.worker", "Worker._own", "after", passes=0),
    "sink-before-insert": Point(_S, "sinks.postgres", "_insert", "before"),
    "sink-inserted-not-committed": Point(_S, "sinks.postgres", "_insert", "after"),
    "sink-moved-not-committed": Point(_S, "sinks.incidents", "move", "after"),
    "sink-stored-offset-not": Point(_S, "sinks.postgres", "PostgresSink.write", "after"),
    "sink-before-commit": Point(_S, "sinks.subscription", "Subscription.commit", "before"),
    "sink-committed": Point(_S, "sinks.subscription", "Subscription.commit", "after"),
}
"""By name; the name says what is done and what is not."""
