"""The named messages of tests/data/bad/messages.yaml, as bytes. The file explains its words."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import yaml

FILE = Path(__file__).parents[1] / "data" / "bad" / "messages.yaml"

VALID: dict[str, str] = {
    "schema_version": "1",
    "sensor_id": '"FD001-engine-001"',
    "cycle": "1",
    "event_time": '"2026-11-23T02:15:11.000000Z"',
    "settings": "[-0.0007,-0.0004,100.0]",
    "sensors": "[518.67,641.82,1589.7,1400.6,14.62,21.61,554.36,2388.06,9046.19,1.3,47.47,521.66,"
    "2388.02,8138.62,8.4195,0.03,392,2388,100.0,39.06,23.419]",
}
"""A valid message, as JSON text per field."""


@dataclass(frozen=True, slots=True)
class Case:
    """One message and what must become of it: a reason, or `accepted`."""

    verdict: str
    name: str
    key: bytes | None
    value: bytes | None


def cases() -> Iterator[Case]:
    """All named messages, in the order of the file."""
    for verdict, named in yaml.safe_load(FILE.read_text(encoding="utf-8")).items():
        for name, spec in named.items():
            tombstone = verdict == "tombstone"
            yield Case(verdict, name, _key(spec), None if tombstone else _value(spec))


def _key(spec: dict[str, Any]) -> bytes | None:
    if "key_hex" in spec:
        return bytes.fromhex(spec["key_hex"])
    if "key" in spec:
        return None if spec["key"] is None else _text(spec["key"]).encode()
    try:
        sensor_id = orjson.loads(_text(spec.get("set", {}).get("sensor_id", VALID["sensor_id"])))
    except orjson.JSONDecodeError:
        sensor_id = None
    return sensor_id.encode() if isinstance(sensor_id, str) else b"FD001-engine-001"


def _value(spec: dict[str, Any]) -> bytes:
    if "hex" in spec:
        return bytes.fromhex(spec["hex"])
    value = _words(spec).encode(spec.get("codec", "utf-8"))
    if "compress" in spec:
        value = import_module(spec["compress"]).compress(value)
    return value[: spec.get("cut")]


def _words(spec: dict[str, Any]) -> str:
    if "text" in spec:
        return _text(spec["text"])
    fields = {**VALID, **{name: _text(text) for name, text in spec.get("set", {}).items()}}
    members = [f'"{name}":{fields[name]}' for name in fields if name not in spec.get("without", ())]
    members += [_text(spec["add"])] if "add" in spec else []
    before, after = spec.get("wrap", ("", ""))
    text = f"{before}{{{','.join(members)}}}{after}"
    return text.ljust(spec.get("pad", 0))


def _text(text: str | list[Any]) -> str:
    if isinstance(text, str):
        return text
    opening, times, closing = text
    return str(opening) * int(times) + str(closing) * int(times)
