"""Kafka with TLS and users, on a real broker: everybody does his own work, and no other's."""

import socket
import ssl
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from connections.kafka import LOOKER, client_config, ensure_topics
from connections.kafka_roles import Role, allow
from connections.postgres import connect
from local_stack.free import free_ports
from local_stack.kafka_users import in_role, with_login
from models.cache import load_production
from plantwatch.configuration import with_changes
from plantwatch.errors import ConfigError, PlantwatchError
from plantwatch.settings import Postgres, Settings
from sinks.migrate import upgrade
from tests.support import plant, topics
from tests.support.commands import Command
from tests.support.servers import served
from tests.support.small_training import cached_model, small_fleet
from tests.support.waiting import PATIENCE_SEC, until

pytestmark = pytest.mark.real

# What each role may read, and write, of the six topics; nobody else may do either.
MAY: dict[Role, tuple[set[str], set[str]]] = {
    "producer": ({"readings"}, {"readings"}),
    "worker": ({"readings"}, {"scores", "anomalies", "shadow_scores", "dead_letters"}),
    "sink": ({"scores", "shadow_scores", "readings"}, {"dead_letters"}),
    "outbox": (set(), {"incidents"}),
    "drift": ({"readings"}, set()),
    "reader": (
        {"readings", "scores", "anomalies", "shadow_scores", "dead_letters", "incidents"},
        set(),
    ),
}


class Broker(NamedTuple):
    """A broker that asks everybody; `settings` are the administrator's."""

    settings: Settings
    home: Path

    def of(self, role: Role) -> Settings:
        return in_role(self.settings, self.home, role)


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with served("kafka", KAFKA_SECURITY_PROTOCOL="SASL_SSL") as (settings, home):
        yield Broker(settings, home)


def written(settings: Settings) -> set[str]:
    """The topics that take a message from these settings' user; the others say why not."""
    outcomes: dict[str, KafkaError | None] = {}
    producer = Producer(client_config(settings))
    for name, topic in settings.topics.model_dump().items():

        def delivered(error: KafkaError | None, _: Message, name: str = name) -> None:
            outcomes[name] = error

        producer.produce(topic, b"x", partition=0, on_delivery=delivered)
    assert producer.flush(PATIENCE_SEC) == 0
    codes = {error.code() for error in outcomes.values() if error}
    assert codes <= {KafkaError.TOPIC_AUTHORIZATION_FAILED}
    assert outcomes.keys() == settings.topics.model_dump().keys()
    return {name for name, error in outcomes.items() if error is None}


def read(settings: Settings) -> set[str]:
    """The topics of which these settings' user gets a message."""
    asked = {topic: name for name, topic in settings.topics.model_dump().items()}
    answers: dict[str, bool] = {}
    config = {"group.id": LOOKER, "enable.auto.commit": False}
    with closing(Consumer(client_config(settings) | config)) as consumer:
        consumer.assign([TopicPartition(topic, 0, 0) for topic in asked])

        def answered() -> bool:
            for message in consumer.consume(100, 0.1):
                error = message.error()
                assert error is None or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
                answers[asked[cast("str", message.topic())]] = error is None
            return answers.keys() == set(asked.values())

        until(answered, lambda: f"no answer but of {answers}")
    return {name for name, allowed in answers.items() if allowed}


# Each role reads and writes what is its own work: a sink can forge no reading, a producer no alarm.
def test_each_role_does_its_own_work_only(broker: Broker) -> None:
    everything = set(broker.settings.topics.model_dump())
    assert written(broker.settings) == everything  # the administrator; and there is one to read
    roles = get_args(Role)
    with ThreadPoolExecutor(len(roles)) as pool:
        found = zip(
            roles,
            pool.map(read, map(broker.of, roles)),
            pool.map(written, map(broker.of, roles)),
            strict=True,
        )
        assert {role: (reads, writes) for role, reads, writes in found} == MAY


def as_user(settings: Settings, name: str, password: str) -> Settings:
    return with_changes(settings, "kafka", sasl_username=name, sasl_password=SecretStr(password))


def refusal(settings: Settings) -> str:
    with pytest.raises(PlantwatchError) as refused:
        ensure_topics(settings)
    assert "\n" not in str(refused.value)
    return str(refused.value)


# Whoever is nobody, or cannot prove who he is, is not let in, and is told so in one line.
def test_strangers_are_not_let_in(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections.kafka.METADATA_TIMEOUT_SEC", 3.0)
    known, change = broker.of("worker"), with_changes
    cases: dict[str, Settings] = {
        "set KAFKA_BOOTSTRAP_SERVERS and KAFKA_SECURITY_PROTOCOL": change(
            known, "kafka", security_protocol="PLAINTEXT"
        ),
        "no Kafka broker answers": change(known, "kafka", security_protocol="SSL"),
        "refuses user 'worker'": as_user(known, "worker", "wrong-password"),
        "refuses user 'nobody'": as_user(known, "nobody", "wrong-password"),
        "check KAFKA_CA_FILE": change(known, "kafka", ca_file=None),
    }
    with ThreadPoolExecutor(len(cases)) as pool:
        said = dict(zip(cases, pool.map(refusal, cases.values()), strict=True))
    assert {says: line for says, line in said.items() if says not in line} == {}
    assert not any("wrong-password" in line for line in said.values())


# Who is known may still make no topic: that is the administrator's.
def test_only_an_administrator_makes_topics(broker: Broker) -> None:
    other = with_changes(broker.of("worker"), "topics", scores="scores-of-my-own")
    with pytest.raises(ConfigError, match=r"refuses user 'worker': .*let an administrator grant"):
        ensure_topics(other)


# The controller, by which one could give oneself any right, talks to the broker's own key alone.
def test_the_controller_is_for_the_broker_alone(broker: Broker) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError), match=r"(?i)certificate|reset|broken pipe"):
        knock(broker.settings.kafka.ca_file, broker.settings.stack.kafka_controller_port)


def knock(ca: Path | None, port: int) -> None:
    """Talk to a port by TLS, without a certificate of our own, until there is an answer."""
    context = ssl.create_default_context(cafile=ca)
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE_SEC) as line,
        context.wrap_socket(line, server_hostname="127.0.0.1") as talk,
    ):
        talk.sendall(bytes(64))
        talk.recv(1)


# Passwords are for our eyes only, also while they are on their way to the broker.
def test_secrets_are_for_our_eyes_only(broker: Broker) -> None:
    folder = broker.home / "kafka"
    private = ("secrets.json", "server.properties", "broker.p12", "../stack.env")
    modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in private}
    assert set(modes.values()) == {0o600}, modes
    assert not (folder / "format.arguments").exists()


# The stack's own users are not for others to choose, and a log that began without cannot have any.
def test_what_cannot_be_is_said_before_anything_starts(broker: Broker, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unset KAFKA_SASL_USERNAME"):
        with_login(as_user(broker.settings, "me", "mine"), broker.home)
    with pytest.raises(ConfigError, match="PLAINTEXT or SASL_SSL"):
        with_login(with_changes(broker.settings, "kafka", security_protocol="SSL"), tmp_path)
    (tmp_path / "kafka/log").mkdir(parents=True)
    (tmp_path / "kafka/log/meta.properties").touch()
    fresh = with_changes(broker.settings, "kafka", sasl_username=None, sasl_password=None)
    with pytest.raises(ConfigError, match="begun without users"):
        with_login(fresh, tmp_path)


Start = Callable[..., Command]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(settings: Settings, *arguments: str) -> Command:
            command = Command(tmp_path / "-".join(arguments), settings, *arguments)
            stack.callback(command.wait)
            stack.callback(command.process.kill)
            return command

        yield begin


# The whole way from a reading to what is told of an incident, everybody as the user of his role.
# What is said on the way, however talkative, holds nobody's password.
def test_the_pipeline_works(
    broker: Broker, database: Postgres, start: Start, tmp_path: Path
) -> None:
    cached_model(tmp_path / "models")
    away = f"http://127.0.0.1:{free_ports(1)[0]}"
    common = broker.settings.model_copy(update={"postgres": database})
    common = with_changes(common, "model", cache=tmp_path / "models")
    common = with_changes(with_changes(common, "log", level="DEBUG"), "mlflow", tracking_uri=away)
    names = {name: f"{name}-of-the-pipeline" for name in common.topics.model_dump()}
    whole = Broker(with_changes(common, "topics", **names), broker.home)
    _make_topics(whole)
    upgrade(whole.settings)

    fleet = small_fleet("train")
    order = plant.rows(fleet)
    topics.publish(whole.of("producer"), [plant.reading(fleet, row) for row in order])
    commands = [
        start(whole.of("worker"), "worker"),
        start(whole.of("sink"), "sink", "postgres"),
        start(whole.of("sink"), "sink", "readings"),
        start(whole.of("outbox"), "outbox"),
    ]
    windows = len(plant.offline(fleet, 30, load_production(whole.settings)))
    wanted = [(windows, len(order))]
    for command in commands:
        command.until(lambda: _stored(whole.settings) == wanted)
    opened = _query(whole.settings, "SELECT count(*) FROM incidents")[0][0]
    assert opened
    told = names["incidents"]
    commands[-1].until(lambda: len(topics.read(whole.of("reader"), told)) >= opened)
    assert [command.end() for command in commands] == [0, 0, 0, 0]
    said = "".join(command.said for command in commands)
    assert not [one for one in _passwords(whole) if one in said]


def _make_topics(whole: Broker) -> None:
    """As an administrator does: the topics, and what everybody may do with them."""
    ensure_topics(whole.settings)
    admin = AdminClient(client_config(whole.settings))
    until(lambda: allow(admin, whole.settings))


def _passwords(whole: Broker) -> list[str]:
    users = [whole.settings, *map(whole.of, get_args(Role))]
    found = [one.kafka.sasl_password for one in users]
    return [one.get_secret_value() for one in found if one is not None]


def _stored(settings: Settings) -> list[Any]:
    counts = "SELECT (SELECT count(*) FROM anomaly_events), (SELECT count(*) FROM readings)"
    return _query(settings, counts)


def _query(settings: Settings, statement: str) -> list[Any]:
    with connect(settings, "reader") as connection:
        return connection.execute(cast("Any", statement)).fetchall()


# A process with a wrong password does not wait for ever: it ends, and its one line says why.
def test_a_wrong_password_ends_a_process_in_one_line(broker: Broker, start: Start) -> None:
    sink = start(as_user(broker.of("sink"), "sink", "wrong-password"), "sink", "postgres")
    assert sink.wait() == 78, sink.said
    last = sink.said.splitlines()[-1]
    assert last.startswith("plantwatch: Kafka at ")
    assert "refuses user 'sink'" in last
    assert "check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD" in last
    assert "Traceback" not in sink.said
    assert "wrong-password" not in sink.said
