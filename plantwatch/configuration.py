"""configs/*.yaml and the environment, read once into frozen `Settings`.

Precedence, highest first: environment, `.env`, `.local/stack.env` (what the local stack made), the
`settings` of the data set in use (configs/datasets), configs/*.yaml. The variable of a field is
SECTION_FIELD in capitals, or the field's alias.
"""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import yaml
from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr, ValidationError

from plantwatch.errors import ConfigError
from plantwatch.settings import Settings

FILES: Final = (
    "pipeline_config.yaml",
    "model_config.yaml",
    "training_config.yaml",
    "serving_config.yaml",
)
COMPOSE_ONLY: Final = ("POSTGRES_SUPERUSER_PASSWORD", "GRAFANA_ADMIN_PASSWORD")
"""Secrets of servers in compose.yaml that no process of ours is told."""
ENVIRONMENT_FILES: Final = (Path(".local/stack.env"), Path(".env"))


def environment() -> dict[str, str]:
    """The process environment over `.env` over what the local stack wrote."""
    merged: dict[str, str] = {}
    for file in ENVIRONMENT_FILES:
        merged |= {key: value for key, value in dotenv_values(file).items() if value is not None}
    return merged | dict(os.environ)


def load(folder: Path, environ: Mapping[str, str]) -> Settings:
    """Read the four files of `folder`, let the data set in use and `environ` override field by
    field, check everything.

    Raises:
        ConfigError: a file is missing or no YAML, a key is unknown, a value does not fit; the
            message names the key and what is allowed. The caller prints it and exits 78.
    """
    document: dict[str, Any] = {}
    for name in FILES:
        document |= read_yaml(folder / name)
    for brought in (_detectors_settings(folder), _dataset_settings(folder, document, environ)):
        for section, fields in brought.items():
            document[section] = document.get(section, {}) | fields
    _refuse_secrets(folder, document)
    for section, field, variable in variables():
        if environ.get(variable):
            document.setdefault(section, {})[field] = environ[variable]
    _refuse_logins(folder, document)
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        raise ConfigError(_explain(error, folder)) from None


def with_changes(settings: Settings, section: str, **fields: Any) -> Settings:
    """The same settings but for some fields of one section; the new values are not checked."""
    changed = getattr(settings, section).model_copy(update=fields)
    return settings.model_copy(update={section: changed})


def _detectors_settings(folder: Path) -> dict[str, dict[str, Any]]:
    """The settings of detectors that somebody added, each in a file of its own."""
    found: dict[str, Any] = {}
    for path in sorted((folder / "detectors").glob("*.yaml")):
        found |= read_yaml(path)
    return {"training": {"detectors": found}} if found else {}


def _dataset_settings(
    folder: Path, document: dict[str, Any], environ: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """The settings that the data set in use brings: its readings, its window, its sensors."""
    name = environ.get("TRAINING_DATASET") or document.get("training", {}).get("dataset")
    path = folder / "datasets" / f"{name}.yaml"
    brought: dict[str, dict[str, Any]] = {}
    if path.is_file():
        brought = read_yaml(path).get("settings", {})
    if not all(isinstance(fields, dict) for fields in brought.values()):
        raise ConfigError(f"{path}: settings must hold sections; mend the file")
    return brought


def variables() -> Iterator[tuple[str, str, str]]:
    """(section, field, environment variable) of every setting, in the order of the files."""
    for section, info in Settings.model_fields.items():
        kind = info.annotation
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        for field, field_info in kind.model_fields.items():
            extra = field_info.json_schema_extra
            alias = extra.get("env") if isinstance(extra, dict) else None
            yield section, field, str(alias or f"{section}_{field}".upper())


def read_yaml(path: Path) -> dict[str, Any]:
    """The sections of one file, unchecked.

    Raises:
        ConfigError: the file is missing, no YAML, or not made of sections.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}; run from the project's folder or name another with --config"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # Not str(error): it quotes the line, and the line may hold a password.
        mark = getattr(error, "problem_mark", None)
        where = f", near line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path} is no YAML in UTF-8{where}; mend the file") from None
    if not isinstance(document, dict) or not all(isinstance(v, dict) for v in document.values()):
        raise ConfigError(f"{path} must hold sections of `name: value` lines; mend the file")
    return document


def _refuse_secrets(folder: Path, document: Mapping[str, Any]) -> None:
    """Files are committed, copied and shown to people; a secret comes by the environment alone."""
    for section, field, variable in variables():
        if document.get(section, {}).get(field) is not None and _may_be_secret([section, field]):
            raise ConfigError(
                f"{folder}: {section}.{field} is a secret, and files are committed and shared; set "
                f"{variable} in the environment or in .env, and null there"
            )


def _refuse_logins(folder: Path, document: Mapping[str, Any]) -> None:
    """Addresses are shown and logged, so that a password in one would be, too."""
    for section, field, variable in variables():
        if re.search(r"://[^/\s]*@", str(document.get(section, {}).get(field))):
            raise ConfigError(
                f"{folder}: {section}.{field} ({variable}) has a login in its address, which is "
                "shown and logged; leave it out (MLflow's goes into MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD)"
            )


def _explain(error: ValidationError, folder: Path) -> str:
    # A typo is two errors, a missing and an unknown key: the unknown one names both spellings.
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    path = [str(part) for part in first["loc"]]
    key = ".".join(path) or "the settings together"
    if first["type"] == "extra_forbidden":
        return f"{folder}: unknown key {key!r}{_nearest(path)}; mend or remove it"
    if first["type"] == "missing":
        return f"{folder}: {key!r} is missing; add it"
    variable = next((v for s, f, v in variables() if [s, f] == path[:2]), "the environment")
    value = "" if _may_be_secret(path) else f" = {first['input']!r}"
    return f"{folder}: {key}{value} does not fit: {first['msg']}; mend it there or in {variable}"


def _may_be_secret(path: list[str]) -> bool:
    """Secret fields may not be printed, nor whole sections, which may hold one."""
    if not path:
        return True  # all sections together do not fit
    section = Settings.model_fields.get(path[0])
    fields = getattr(section and section.annotation, "model_fields", {})
    field = fields.get(path[-1])
    return field is None or SecretStr in (field.annotation, *get_args(field.annotation))


def _nearest(path: list[str]) -> str:
    """The known key closest to an unknown one, among its siblings."""
    siblings = list(Settings.model_fields)
    if len(path) > 1:
        siblings = [field for section, field, _ in variables() if section == path[0]]
    found = difflib.get_close_matches(path[-1], siblings, n=1, cutoff=0.5)
    return f" (did you mean {'.'.join([*path[:-1], found[0]])!r}?)" if found else ""


def render_env_example() -> str:
    """`.env.example`: every variable with its default from configs/, commented out."""
    defaults = {
        key: value for name in FILES for key, value in read_yaml(Path("configs") / name).items()
    }
    lines = [
        "# Generated by `plantwatch config env-example`; a test keeps it in step with configs/.",
        "# Copy to .env and uncomment what you want to change. Passwords have no default.",
    ]
    previous = ""
    for section, field, variable in variables():
        if section != previous:
            lines += ["", f"# {section}"]
            previous = section
        value = defaults[section][field]
        text = "" if value is None else yaml.safe_dump(value, default_flow_style=True, width=10**6)
        lines.append(f"# {variable}={text.removesuffix(chr(10)).removesuffix('...').strip()}")
    lines += [
        "",
        "# compose.yaml alone: `plantwatch config passwords` makes these, and those above",
    ]
    lines += [f"# {variable}=" for variable in COMPOSE_ONLY]
    return "\n".join(lines) + "\n"
