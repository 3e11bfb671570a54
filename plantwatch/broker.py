"""The section `kafka` of the settings: where the broker is, and how one comes in."""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from plantwatch.sections import Positive, Section


class Kafka(Section):
    bootstrap_servers: str
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"]
    sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"]
    sasl_username: str | None
    sasl_password: SecretStr | None
    ca_file: Path | None
    cert_file: Path | None
    key_file: Path | None
    partitions: Positive
    replication_factor: Positive
    max_message_bytes: Positive
    reconnect_max_ms: Positive
    prefetch_kb: Positive
    fetch_kb: Positive
    fetch_queue_backoff_ms: Positive
    readings_retention_bytes: Positive
    events_retention_hours: Positive
