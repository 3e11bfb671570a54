"""The way in to Kafka, as far as no broker is needed for it."""

from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError

from connections.kafka import client_config, consumer_config, member_config, producer_config
from connections.kafka_login import is_refusal, refused
from plantwatch.configuration import load
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings
from tests.support.servers import CONFIGS

WHOLE = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_USERNAME": "worker",
    "KAFKA_SASL_PASSWORD": "a-password",
}


def configured(**environ: str) -> Settings:
    return load(CONFIGS, environ)


# All clients come in the same way: name, password, files, and the mechanism that was chosen.
@pytest.mark.parametrize(
    "config",
    [
        client_config,
        producer_config,
        lambda settings: consumer_config(settings, "g"),
        lambda settings: member_config(settings, "g", settings.worker),
        lambda settings: member_config(settings, "g", settings.sink),
    ],
)
def test_every_client_comes_in_the_same_way(config: Any, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("ca_file", "cert_file", "key_file")}
    for path in files.values():
        path.touch()
    variables = {f"KAFKA_{name}".upper(): str(path) for name, path in files.items()}
    made = config(configured(**WHOLE, **variables))
    assert (
        made
        | {
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": "worker",
            "sasl.password": "a-password",
            "ssl.ca.location": str(files["ca_file"]),
            "ssl.certificate.location": str(files["cert_file"]),
            "ssl.key.location": str(files["key_file"]),
        }
        == made
    )


# Where nobody is asked, nobody's password is handed out.
def test_without_tls_no_password_is_sent() -> None:
    made = client_config(configured(**WHOLE | {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}))
    assert made["security.protocol"] == "PLAINTEXT"
    assert not [name for name in made if name.startswith(("sasl.", "ssl."))]


# What is missing is named by its variable, before anybody connects.
@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"KAFKA_SASL_USERNAME": ""}, "set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"),
        ({"KAFKA_SASL_PASSWORD": ""}, "set KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"),
        ({"KAFKA_CA_FILE": "nowhere.pem"}, "KAFKA_CA_FILE=nowhere.pem is no file"),
        ({"KAFKA_KEY_FILE": "nowhere.pem"}, "KAFKA_KEY_FILE=nowhere.pem is no file"),
    ],
)
def test_what_is_missing_is_named(variables: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        client_config(configured(**WHOLE | variables))
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "a-password" not in str(refusal.value)


# A no for good is told from what waiting mends, and says what to do about it.
@pytest.mark.parametrize(
    ("code", "says"),
    [
        (KafkaError._AUTHENTICATION, "KAFKA_SASL_PASSWORD"),
        (KafkaError.SASL_AUTHENTICATION_FAILED, "KAFKA_SASL_PASSWORD"),
        (KafkaError._SSL, "KAFKA_CA_FILE"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "grant"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "grant"),
        (KafkaError._TRANSPORT, None),
        (KafkaError._ALL_BROKERS_DOWN, None),
        (KafkaError.NOT_LEADER_FOR_PARTITION, None),
    ],
)
def test_a_refusal_is_told_from_an_outage(code: int, says: str | None) -> None:
    error = KafkaError(code, "in two\nlines")
    assert is_refusal(error) is (says is not None)
    if says:
        told = str(refused(configured(**WHOLE).kafka, error))
        assert says in told
        assert "user 'worker'" in told
        assert "\n" not in told
