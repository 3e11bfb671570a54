"""What travels on the topics as JSON Schemas, and all of it as one AsyncAPI 3.0 document.

Both are made of the message types; `plantwatch schemas --write` keeps the committed ones in step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, Final

from pydantic import TypeAdapter

from plantwatch.dead_letter import DeadLetter
from plantwatch.instants import READ
from plantwatch.messages import (
    MAX_SENSOR_ID,
    RESCORED,
    SCHEMA_VERSION,
    IncidentEvent,
    ScoreEvent,
    SensorReading,
)
from plantwatch.settings import Reading, Settings

Document = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_BIGINT: Final = 2**63


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic: the field of `Settings.topics`, what is on it, and who writes it."""

    topic: str
    message: type
    ours: bool
    description: str


CHANNELS: Final = (
    Channel("readings", SensorReading, ours=False, description="One row of one machine."),
    Channel("scores", ScoreEvent, ours=True, description="A verdict for every window."),
    Channel("anomalies", ScoreEvent, ours=True, description="Verdicts that are anomalous."),
    Channel(
        "shadow_scores",
        ScoreEvent,
        ours=True,
        description="The challenger's verdicts on the windows that `scores` are of.",
    ),
    Channel("incidents", IncidentEvent, ours=True, description="Each move of an incident."),
    Channel("dead_letters", DeadLetter, ours=True, description="What went no further, and why."),
)
"""In the order in which a reading meets them. At least once each: the same `id` may come twice."""

_HEADERS: Final[Mapping[type, Document]] = {
    ScoreEvent: {
        RESCORED: {
            "type": "string",
            "const": "1",
            "description": "On a verdict computed after a model had failed on the window.",
        }
    },
}


def json_schemas(settings: Settings) -> dict[str, Document]:
    """A JSON Schema for each type of message, by its name, for who reads it."""
    return {
        message.__name__: {"$schema": DIALECT} | _schema(message, settings, "#/$defs/{model}")
        for message in dict.fromkeys(channel.message for channel in CHANNELS)
    }


def asyncapi(settings: Settings) -> Document:
    """The AsyncAPI 3.0 document: every topic, what is on it, and what plantwatch does with it."""
    schemas: Document = {}
    for channel in CHANNELS:
        schema = _schema(channel.message, settings, "#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {}) | {channel.message.__name__: schema}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "plantwatch",
            "version": f"{SCHEMA_VERSION}.0.0",
            "description": "Readings of machines in, verdicts, incidents and dead letters out. "
            "Every topic is keyed by the machine, so that what is of one machine stays in order.",
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": {"host": settings.kafka.bootstrap_servers, "protocol": "kafka"}},
        "channels": {channel.topic: _channel(channel, settings) for channel in CHANNELS},
        "operations": {_operation_name(channel): _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {channel.message.__name__: _message(channel) for channel in CHANNELS},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _schema(message: type, settings: Settings, reference: str) -> Document:
    schema = TypeAdapter(message).json_schema(ref_template=reference)
    schema["description"] = cleandoc(message.__doc__ or "")
    return schema | _accepted(schema, settings.reading) if message is SensorReading else schema


def _accepted(schema: Document, shape: Reading) -> Document:
    """What `plantwatch.decode` takes, as far as a schema can say it: it knows no type for it."""
    number = {"type": "number"}
    properties = {
        "schema_version": {"const": SCHEMA_VERSION},
        "sensor_id": {"type": "string", "minLength": 1, "maxLength": MAX_SENSOR_ID},
        "cycle": {"type": "integer", "minimum": -_BIGINT, "exclusiveMaximum": _BIGINT},
        "event_time": {"type": "string", "pattern": f"^{READ}$"},
        "settings": _list_of(number, shape.settings),
        "sensors": _list_of(number, shape.sensors),
    }
    assert properties.keys() == schema["properties"].keys(), "a reading has other fields"
    return {
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list_of(item: Document, count: int) -> Document:
    return {"type": "array", "items": item, "minItems": count, "maxItems": count}


def _channel(channel: Channel, settings: Settings) -> Document:
    name = channel.message.__name__
    return {
        "address": getattr(settings.topics, channel.topic),
        "description": channel.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def _operation_name(channel: Channel) -> str:
    return f"{'send' if channel.ours else 'receive'}_{channel.topic}"


def _operation(channel: Channel) -> Document:
    name = channel.message.__name__
    return {
        "action": "send" if channel.ours else "receive",
        "channel": {"$ref": f"#/channels/{channel.topic}"},
        "messages": [{"$ref": f"#/channels/{channel.topic}/messages/{name}"}],
    }


def _message(channel: Channel) -> Document:
    name = channel.message.__name__
    key = {"type": "string", "description": "The machine's `sensor_id`."}
    message: Document = {
        "name": name,
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {"kafka": {"key": key, "bindingVersion": "0.5.0"}},
    }
    if channel.message in _HEADERS:
        message["headers"] = {"type": "object", "properties": dict(_HEADERS[channel.message])}
    return message
