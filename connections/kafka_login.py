"""How a client comes in to Kafka, and what a broker that does not let it in, or not far, has said.

librdkafka tries for ever with a wrong password, and says why to a callback only: to everybody who
waits for an answer the broker is just away. So the reason is asked for.
"""

import time
from typing import Any, Final

from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient

from plantwatch.errors import ConfigError
from plantwatch.settings import Kafka

_FILES: Final = {
    "ssl.ca.location": "ca_file",
    "ssl.certificate.location": "cert_file",
    "ssl.key.location": "key_file",
}
_REFUSALS: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001  librdkafka's own codes have no other name
        KafkaError._SSL,  # noqa: SLF001 - its name
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
_HEAR_SEC: Final = 5.0
"""How long a refusal may take that is asked for; it comes with the first connection."""


def login(kafka: Kafka) -> dict[str, Any]:
    """The properties of librdkafka for the way in that the settings choose.

    Raises:
        ConfigError: name or password is not set, or a file is not there.
    """
    config: dict[str, Any] = {"security.protocol": kafka.security_protocol}
    if kafka.security_protocol != "PLAINTEXT":
        config |= _files(kafka)
    if kafka.security_protocol == "SASL_SSL":
        config |= _user(kafka)
    return config


def _files(kafka: Kafka) -> dict[str, str]:
    named = {name: getattr(kafka, field) for name, field in _FILES.items()}
    for name, path in named.items():
        if path is not None and not path.is_file():
            variable = f"KAFKA_{_FILES[name]}".upper()
            raise ConfigError(f"{variable}={path} is no file; name one in PEM format, or unset it")
    return {name: str(path) for name, path in named.items() if path is not None}


def _user(kafka: Kafka) -> dict[str, str]:
    if kafka.sasl_username is None or kafka.sasl_password is None:
        raise ConfigError(
            "KAFKA_SECURITY_PROTOCOL is SASL_SSL, but there is no user: set KAFKA_SASL_USERNAME "
            "and KAFKA_SASL_PASSWORD, in the environment or in .env"
        )
    return {
        "sasl.mechanisms": kafka.sasl_mechanism,
        "sasl.username": kafka.sasl_username,
        "sasl.password": kafka.sasl_password.get_secret_value(),
    }


def is_refusal(error: KafkaError) -> bool:
    """Whether a broker is there and says no, which waiting does not mend."""
    return error.code() in _REFUSALS


def refused(kafka: Kafka, error: KafkaError) -> ConfigError:
    """The one line for a person whom Kafka says no to."""
    who = f"user {kafka.sasl_username!r}" if kafka.security_protocol == "SASL_SSL" else "us"
    remedy = "check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
    if error.code() == KafkaError._SSL:  # noqa: SLF001 - its name
        remedy = "check KAFKA_CA_FILE, KAFKA_CERT_FILE and KAFKA_KEY_FILE"
    elif "AUTHORIZATION" in error.name():
        remedy = "let an administrator grant it (SECURITY.md says what each role needs)"
    detail = " ".join(error.str().split())
    return ConfigError(f"Kafka at {kafka.bootstrap_servers} refuses {who}: {detail}; {remedy}")


def hear_refusal(config: dict[str, Any]) -> KafkaError | None:
    """Connect once more with a client's `config`; what the broker refused it with, if it did."""
    heard: list[KafkaError] = []
    admin = AdminClient(config | {"error_cb": heard.append})
    deadline = time.monotonic() + _HEAR_SEC
    # What is heard first may be of a connection that only broke.
    while not any(map(is_refusal, heard)) and time.monotonic() < deadline:
        admin.poll(0.1)
    return next(filter(is_refusal, heard), None)
