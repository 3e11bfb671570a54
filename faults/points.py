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

    `busy`: it is passed many times a second under load, so an order may wait for a later pass.
    """

    role: Role
    module: str
    name: str
    when: Literal["before", "after"]
    busy: bool = True


_P, _W, _S = Role.PRODUCER, Role.WORKER, Role.SINK

POINTS: Final[dict[str, Point]] = {
    "producer-before-produce": Point(_P, "producers.delivery", "Delivery.offer", "before"),
    "producer-produced-not-acked": Point(_P, "producers.delivery", "Delivery.offer", "after"),
    "producer-acked-not-saved": Point(
        _P, "producers.manifest", "Manifest.save", "before", busy=False
    ),
    "producer-manifest-saved": Point(
        _P, "producers.manifest", "Manifest.save", "after", busy=False
    ),
    "worker-starting": Point(_W, "models.cache", "load_production", "before", busy=False),
    "worker-before-scoring": Point(
        _W, "stream_processors.partition", "Partition.process", "before"
    ),
    "worker-scored-not-produced": Point(
        _W, "stream_processors.partition", "Partition.process", "after"
    ),
    "worker-produced-in-part": Point(_W, "connections.kafka", "CheckedProducer.send", "after"),
    "worker-produced-not-acked": Point(_W, "stream_processors.worker", "Worker.process", "after"),
    "worker-before-flush": Point(_W, "connections.kafka", "CheckedProducer.flush", "before"),
    "worker-acked-not-committed": Point(_W, "connections.kafka", "CheckedProducer.flush", "after"),
    "worker-committed": Point(
        _W, "stream_processors.consumer_thread", "ConsumerThread.commit", "after"
    ),
    "worker-in-read-back": Point(
        _W, "stream_processors.partition", "Partition.restore", "after", busy=False
    ),
    "worker-taking-over": Point(_W, "stream_processors.worker", "Worker._own", "after", busy=False),
    "sink-before-insert": Point(_S, "sinks.postgres", "_insert", "before"),
    "sink-inserted-not-committed": Point(_S, "sinks.postgres", "_insert", "after"),
    "sink-stored-offset-not": Point(_S, "sinks.postgres", "PostgresSink.write", "after"),
    "sink-before-commit": Point(_S, "sinks.subscription", "Subscription.commit", "before"),
    "sink-committed": Point(_S, "sinks.subscription", "Subscription.commit", "after"),
}
"""By name; the name says what is done and what is not."""
