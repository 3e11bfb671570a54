"""Where measurements leave their figures, as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(".local/bench")


def save(name: str, figures: Mapping[str, Any]) -> Path:
    """Write `<name>.json`; where it is."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return path
