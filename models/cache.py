"""Models on this disk: `.local/models/<digest>/`, and `production.json`, which says which one runs.

The worker starts from here without MLflow, whose import takes seconds and whose server may be away.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from plantwatch.errors import ConfigError
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from models.onnx_detector import OnnxDetector

_PRODUCTION: Final = "production.json"


class Production(BaseModel):
    """Which model runs: its digest, registry version, and the name verdicts carry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    version: int
    model_version: str


def is_fetched(settings: Settings) -> bool:
    """Whether a production model was ever fetched here."""
    return (settings.model.cache / _PRODUCTION).exists()


def load_production(settings: Settings) -> "OnnxDetector":
    """The production model as last fetched; reads two files, asks nobody.

    Raises:
        ConfigError: nothing was fetched yet, or what was is damaged; the caller exits.
    """
    # Here, not above: onnxruntime takes half a second, which every command would wait for.
    from models.onnx_detector import OnnxDetector  # noqa: PLC0415

    production = read_production(settings.model.cache)
    return OnnxDetector(
        settings.model.cache / production.digest,
        production.model_version,
        settings.anomaly.threshold,
    )


def read_production(cache: Path) -> Production:
    """What `write_production` wrote.

    Raises:
        ConfigError: it wrote nothing yet, or somebody else wrote over it.
    """
    path = cache / _PRODUCTION
    try:
        return Production.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ConfigError(
            f"no model in {cache}; run `plantwatch models fetch` (after `make train`)"
        ) from None
    except (OSError, ValidationError):
        raise ConfigError(f"{path} is damaged; run `plantwatch models fetch`") from None


def write_production(production: Production, cache: Path) -> None:
    """Name the production model, all or nothing."""
    temporary = cache / f".{_PRODUCTION}.{os.getpid()}"
    temporary.write_text(production.model_dump_json(indent=2) + "\n", encoding="utf-8")
    temporary.replace(cache / _PRODUCTION)
