"""Kafka with TLS and users: its certificate, everybody's password, and the broker's properties.

The users are those of `connections.kafka_roles`, and `admin`, the person at this machine. With its
own controller the broker talks by its certificate. All secrets lie in `secrets.json`, for our eyes
only, and are made once, for the broker's log begins with the users in it.
"""

import json
import os
import secrets
import subprocess
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from connections.kafka_roles import ROLES, Role
from local_stack import private
from plantwatch.configuration import with_changes
from plantwatch.errors import ConfigError
from plantwatch.settings import Settings

ADMIN: Final = "admin"
_STORE: Final = "keystore"
_BROKER: Final = "plantwatch-broker"
_DAYS: Final = "3650"


def asked(settings: Settings) -> bool:
    """Whether Kafka is to ask everybody who they are."""
    return settings.kafka.security_protocol == "SASL_SSL"


def with_login(settings: Settings, home: Path) -> Settings:
    """The settings of the person at this machine, who may do everything; kept in `home`/stack.env.

    Raises:
        ConfigError: the settings have another user, or the log was begun without users.
    """
    kafka = settings.kafka
    if kafka.security_protocol == "SSL":
        raise ConfigError(
            "the local stack serves Kafka with KAFKA_SECURITY_PROTOCOL=PLAINTEXT or SASL_SSL; "
            "choose one, or name the processes to start with --only"
        )
    if not asked(settings):
        return settings
    folder = (home / "kafka").resolve()
    _make_secrets(folder)
    password = _secrets(folder)[ADMIN]
    if kafka.sasl_password not in {None, SecretStr(password)}:
        raise ConfigError(
            "the local stack makes Kafka's users itself: unset KAFKA_SASL_USERNAME and "
            "KAFKA_SASL_PASSWORD, or name the processes to start with --only"
        )
    variables = {
        "KAFKA_SASL_USERNAME": ADMIN,
        "KAFKA_SASL_PASSWORD": password,
        "KAFKA_CA_FILE": str(_ca(folder)),
    }
    private.set_variables(home / "stack.env", variables)
    own = {"sasl_username": ADMIN, "sasl_password": SecretStr(password), "ca_file": _ca(folder)}
    return with_changes(settings, "kafka", **own)


def in_role(settings: Settings, home: Path, role: Role) -> Settings:
    """The settings of a process of the stack: it comes to our broker as the user of its role.

    Those of whoever comes to another broker, or as another user than ours, stay.
    """
    kafka, folder = settings.kafka, (home / "kafka").resolve()
    if not asked(settings) or not _file(folder).exists():
        return settings
    made = _secrets(folder)
    if kafka.sasl_password != SecretStr(made[ADMIN]):
        return settings
    password = SecretStr(made[role])
    return with_changes(settings, "kafka", sasl_username=role, sasl_password=password)


def properties(settings: Settings, folder: Path) -> dict[str, object]:
    """The broker's, over those of a broker that lets everybody in."""
    made, mechanism = _secrets(folder), settings.kafka.sasl_mechanism
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    jaas = f'{module} required username="{ADMIN}" password="{made[ADMIN]}";'
    return {
        "listener.security.protocol.map": "BROKER:SASL_SSL,CONTROLLER:SSL",
        "sasl.enabled.mechanisms": mechanism,
        "sasl.mechanism.inter.broker.protocol": mechanism,
        f"listener.name.broker.{mechanism.lower()}.sasl.jaas.config": jaas,
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": folder / "broker.p12",
        "ssl.keystore.password": made[_STORE],
        "ssl.key.password": made[_STORE],
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": _ca(folder),
        # Who has the certificate's key is the broker itself; nobody else has business there.
        "listener.name.controller.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN};User:CN={_BROKER}",
    }


def format_arguments(settings: Settings, folder: Path) -> str:
    """What `kafka-storage format` is to be told of the users, a line for each word."""
    made, mechanism = _secrets(folder), settings.kafka.sasl_mechanism
    return "".join(
        f"--add-scram\n{mechanism}=[name={name},password={made[name]}]\n"
        for name in (ADMIN, *ROLES)
    )


def make_certificate(keytool: Path, folder: Path) -> None:
    """A key and a certificate for this machine's loopback, which signs itself, once."""
    if _ca(folder).exists():
        return
    store = folder / "broker.p12"
    store.unlink(missing_ok=True)
    common = ("-keystore", store, "-storetype", "PKCS12", "-storepass:env", "STORE_PASSWORD")
    environ = os.environ | {"STORE_PASSWORD": _secrets(folder)[_STORE]}
    make = ("-genkeypair", "-alias", "broker", "-dname", f"CN={_BROKER}", "-validity", _DAYS)
    kind = ("-keyalg", "EC", "-groupname", "secp256r1", "-ext", "san=ip:127.0.0.1,dns:localhost")
    show = ("-exportcert", "-rfc", "-alias", "broker")
    for arguments in ((*make, *kind), show):
        done = subprocess.run(
            [keytool, *arguments, *common], env=environ, check=True, capture_output=True, text=True
        )
    store.chmod(0o600)
    _ca(folder).write_text(done.stdout, encoding="utf-8")


def _make_secrets(folder: Path) -> None:
    """A password for everybody, unless there are some."""
    if _file(folder).exists():
        return
    if (folder / "log" / "meta.properties").exists():
        raise ConfigError(
            f"Kafka's log in {folder} was begun without users, and they are made with it: "
            f"remove {folder} with all readings, or set KAFKA_SECURITY_PROTOCOL=PLAINTEXT"
        )
    folder.mkdir(parents=True, exist_ok=True)
    made = {name: secrets.token_urlsafe(24) for name in (ADMIN, *ROLES, _STORE)}
    private.write(_file(folder), json.dumps(made))


def _secrets(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(_file(folder).read_text(encoding="utf-8"))
    return found


def _file(folder: Path) -> Path:
    return folder / "secrets.json"


def _ca(folder: Path) -> Path:
    return folder / "broker.pem"
