"""Who may do what on a Kafka that asks: a user for each kind of process, with no more than it does.

Nobody but an administrator makes topics, and all are told which there are. An idempotent producer
needs no right beside that to write.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final, Literal, NamedTuple, get_args

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # untyped
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from connections.kafka import LOOKER, METADATA_TIMEOUT_SEC
from plantwatch.settings import Settings

Role = Literal["producer", "worker", "sink", "outbox", "drift", "reader"]
"""`reader` is whoever only looks: a subscriber, `plantwatch watch`."""
ROLES: Final[tuple[Role, ...]] = get_args(Role)
May = Literal["READ", "WRITE", "DESCRIBE"]


class Grant(NamedTuple):
    """What a role may do with a topic or a consumer group."""

    role: Role
    may: May
    on: Literal["TOPIC", "GROUP"]
    name: str


def grants(settings: Settings) -> Iterator[Grant]:
    """All there is to grant; topics and groups have the names of the settings."""
    topics, sink = settings.topics, settings.sink
    all_topics = tuple(topics.model_dump().values())
    reads: dict[Role, tuple[str, ...]] = {
        "producer": (topics.readings,),
        "worker": (topics.readings,),
        "sink": (topics.scores, topics.shadow_scores, topics.readings),
        "drift": (topics.readings,),
        "reader": all_topics,
    }
    writes: dict[Role, tuple[str, ...]] = {
        "producer": (topics.readings,),
        "worker": (topics.scores, topics.anomalies, topics.shadow_scores, topics.dead_letters),
        "sink": (topics.dead_letters,),
        "outbox": (topics.incidents,),
    }
    groups: dict[Role, tuple[str, ...]] = {
        "worker": (settings.worker.group_id,),
        "sink": (
            sink.postgres_group_id,
            sink.prometheus_group_id,
            sink.shadow_group_id,
            sink.readings_group_id,
        ),
        "drift": (settings.drift.group_id,),
    }
    for role in ROLES:
        yield from (Grant(role, "DESCRIBE", "TOPIC", name) for name in all_topics)
        yield Grant(role, "DESCRIBE", "GROUP", LOOKER)
        yield from (Grant(role, "READ", "TOPIC", name) for name in reads.get(role, ()))
        yield from (Grant(role, "WRITE", "TOPIC", name) for name in writes.get(role, ()))
        yield from (Grant(role, "READ", "GROUP", name) for name in groups.get(role, ()))
    # How far the others are: the ledger asks.
    yield from (Grant("reader", "DESCRIBE", "GROUP", name) for name in chain(*groups.values()))


def allow(admin: AdminClient, settings: Settings) -> bool:
    """Grant all of it to the users named like the roles; what is granted already stays.

    Returns whether the broker goes by it already: it hears of it a moment after it was granted. Ask
    again until it does.

    Raises:
        KafkaException: the broker refuses; only an administrator may.
    """
    bindings = [_binding(grant) for grant in grants(settings)]
    for future in admin.create_acls(bindings).values():
        future.result(METADATA_TIMEOUT_SEC)
    known = admin.describe_acls(_ALL).result(METADATA_TIMEOUT_SEC)
    return set(bindings) <= set(known)


_ANY: Final[Any] = None
"""What a filter takes for whatever it is, though its types do not say so."""
_ALL: Final = AclBindingFilter(
    ResourceType.ANY,
    _ANY,
    ResourcePatternType.ANY,
    _ANY,
    _ANY,
    AclOperation.ANY,
    AclPermissionType.ANY,
)


def _binding(grant: Grant) -> AclBinding:
    return AclBinding(
        ResourceType[grant.on],
        grant.name,
        ResourcePatternType.LITERAL,
        f"User:{grant.role}",
        "*",
        AclOperation[grant.may],
        AclPermissionType.ALLOW,
    )
