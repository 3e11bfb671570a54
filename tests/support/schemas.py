"""The schemas that check-jsonschema brings, of files whose program is not here."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from jsonschema.validators import validator_for


def faults(
    document: dict[Any, Any], schema: Literal["compose-spec", "github-workflows"]
) -> list[str]:
    """Where and why a document is not what its schema wants.

    Its program is not used: with the click that Faust allows it does not start.
    """
    vendored = files("check_jsonschema.builtin_schemas.vendor") / f"{schema}.json"
    wanted = json.loads(vendored.read_text(encoding="utf-8"))
    found = validator_for(wanted)(wanted).iter_errors(document)
    return [f"{list(one.path)}: {one.message}" for one in found]


def read(path: Path) -> dict[Any, Any]:
    """A YAML file; the key `on`, which YAML 1.1 takes for true, by its name."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}
