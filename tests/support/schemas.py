"""The schemas that check-jsonschema brings, of files whose program is not here."""

import json
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Literal

import yaml
from jsonschema.validators import validator_for


def faults(
    document: dict[Any, Any], schema: Literal["compose-spec", "github-workflows"]
) -> list[str]:
    """Where and why a document is not what its schema wants.

    The package is not imported: with the click that Faust allows it would fail.
    """
    vendored = f"check_jsonschema/builtin_schemas/vendor/{schema}.json"
    wanted = json.loads(
        Path(str(distribution("check-jsonschema").locate_file(vendored))).read_text()
    )
    found = validator_for(wanted)(wanted).iter_errors(document)
    return [f"{list(one.path)}: {one.message}" for one in found]


def read(path: Path) -> dict[Any, Any]:
    """A YAML file; the key `on`, which YAML 1.1 takes for true, by its name."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}
