"""What we tell others of our messages: AsyncAPI and JSON Schemas, held against real messages."""

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator
from typer.testing import CliRunner

from commands.app import app
from commands.schemas import files
from plantwatch.accounting import Ledger
from plantwatch.configuration import load
from plantwatch.decode import Reason, Reject, decode
from plantwatch.incidents import CALM, Machine, follow
from plantwatch.messages import IncidentEvent, score_event_from_bytes
from plantwatch.schemas import CHANNELS, asyncapi, json_schemas
from plantwatch.settings import Topics
from stream_processors import chunks
from stream_processors.partition import Partition
from tests.support.corpus import cases
from tests.support.plant import reading, rows
from tests.support.servers import CONFIGS
from tests.support.small_training import small_detector, small_fleet
from tests.support.streams import Message

SETTINGS = load(CONFIGS, {})
DOCS = CONFIGS.parent / "docs"
SPECIFICATION = Path(__file__).parents[2] / "data" / "asyncapi-3.0.0.schema.json"
TELLING = {
    *(Reason.MISSING_FIELD, Reason.UNKNOWN_FIELD, Reason.BAD_VALUES),
}
"""Refusals that a schema can foretell, too; it takes 1.0 for the integer 1, and we do not."""


@cache
def validator(message: str) -> Draft202012Validator:
    schema = json_schemas(SETTINGS)[message]
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bytes]]:
    """By topic, what the rules of worker and incidents make of a small fleet, and of rubbish."""
    detector = small_detector("direction_mixture", tmp_path_factory.mktemp("model"))
    fleet = small_fleet("test")
    readings = [reading(fleet, row) for row in rows(fleet)]
    log = [
        Message(at, *message) for at, message in enumerate([*readings, (b"m", b"{"), (None, None)])
    ]
    outcome = chunks.process([(Partition(0, SETTINGS, Ledger(0, 0), 0), log)], detector)
    found: dict[str, list[bytes]] = defaultdict(
        list, {"readings": [one.value for one in readings if one.value]}
    )
    for output in outcome.outputs:
        found[output.topic].append(output.value)
    found["shadow-scores"] = found["scores"]
    found["incidents"] = list(moves(found["scores"]))
    return found


def moves(scores: list[bytes]) -> Iterator[bytes]:
    """The incidents that verdicts open, each as it is published."""
    machines: dict[str, Machine] = defaultdict(lambda: CALM)
    for event in map(score_event_from_bytes, scores):
        before = machines[event.sensor_id]
        after = follow(before, [event], SETTINGS.anomaly.rule()).machine
        machines[event.sensor_id] = after
        if after.incident and not before.incident:
            yield IncidentEvent("1", event.sensor_id, "opened", after.incident).to_bytes()


# Whatever changes in a message is in the committed documents, or this says which command to run.
def test_the_committed_documents_are_those_of_the_messages() -> None:
    made = files(SETTINGS)
    assert {name: (DOCS / name).read_text(encoding="utf-8") for name in made} == made
    assert {f"schemas/{path.name}" for path in (DOCS / "schemas").iterdir()} < made.keys()


# It is AsyncAPI 3.0, says the JSON schema that AsyncAPI publishes of it.
def test_the_document_is_asyncapi() -> None:
    specification = Draft7Validator(json.loads(SPECIFICATION.read_text(encoding="utf-8")))
    document = yaml.safe_load(files(SETTINGS)["asyncapi.yaml"])
    assert list(specification.iter_errors(document)) == []
    document["channels"]["readings"]["adress"] = "x"
    assert list(specification.iter_errors(document)) != []


# Every reference in it leads somewhere.
def test_references_lead_somewhere() -> None:
    document = asyncapi(SETTINGS)
    found = list(references(document))
    assert found
    for reference in found:
        part: Any = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


def references(part: object) -> Iterator[str]:
    match part:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for one in part.values():
                yield from references(one)
        case list():
            for one in part:
                yield from references(one)


# Every topic that there is, is in it.
def test_no_topic_is_forgotten() -> None:
    assert {channel.topic for channel in CHANNELS} == set(Topics.model_fields)


# What really is on each topic is what its schema says.
@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.topic)
def test_real_messages_fit_their_schema(sent: dict[str, list[bytes]], channel: Any) -> None:
    messages = sent[getattr(SETTINGS.topics, channel.topic)]
    assert messages
    for message in messages:
        validator(channel.message.__name__).validate(json.loads(message))


# Each schema refuses a message without one of the fields that it needs, and one of a wrong type.
@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.topic)
def test_other_messages_do_not_fit(sent: dict[str, list[bytes]], channel: Any) -> None:
    message = json.loads(sent[getattr(SETTINGS.topics, channel.topic)][0])
    schema = validator(channel.message.__name__)
    for field in json_schemas(SETTINGS)[channel.message.__name__]["required"]:
        assert not schema.is_valid({k: v for k, v in message.items() if k != field})
        assert not schema.is_valid(message | {field: {}})


# Of every message in the corpus, schema and decoder say the same as far as a schema can know.
def test_the_schema_of_readings_is_that_of_the_decoder() -> None:
    schema, agreed = validator("SensorReading"), 0
    # jsonschema recurses to death over what is nested without end.
    for case in (one for one in cases() if b"[[[[" not in (one.value or b"")):
        found = decode(case.key, case.value, SETTINGS.reading)
        try:
            document = orjson.loads(case.value or b"")
        except orjson.JSONDecodeError:
            continue
        if not isinstance(found, Reject):
            assert schema.is_valid(document), case.name
        elif found.reason in TELLING:
            assert not schema.is_valid(document), case.name
        agreed += 1
    assert agreed > 50


# With another data set in use a reading's schema has its numbers of settings and sensors.
def test_the_schema_follows_the_data_set() -> None:
    made = json_schemas(load(CONFIGS, {"TRAINING_DATASET": "pumps"}))["SensorReading"]
    assert made["properties"]["sensors"]["maxItems"] == 5
    assert made["properties"]["settings"]["minItems"] == 1


# The command says which file is not in step, and mends it.
def test_the_command_mends_what_differs(tmp_path: Path) -> None:
    arguments = ["--config", str(CONFIGS), "schemas", "--folder", str(tmp_path)]
    assert CliRunner().invoke(app, [*arguments, "--write"]).exit_code == 0
    assert CliRunner().invoke(app, arguments).exit_code == 0
    (tmp_path / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n", encoding="utf-8")
    differing = CliRunner().invoke(app, arguments)
    assert differing.exit_code == 1
    assert differing.output.count("\n") == 1
    assert "asyncapi.yaml is not that of the messages" in differing.output
