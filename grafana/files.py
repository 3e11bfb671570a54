"""The dashboards' JSON as it is committed: generated, and held against what is generated now."""

import json
from pathlib import Path
from typing import Final

from grafana.floor import floor
from grafana.machine import machine
from grafana.models import models
from grafana.pipeline import pipeline
from grafana.render import render
from grafana.spec import Board
from plantwatch.settings import Settings

FOLDER: Final = Path("grafana/dashboards")


def boards(settings: Settings) -> tuple[Board, ...]:
    return floor(settings), machine(settings), pipeline(settings), models(settings)


def generated(settings: Settings) -> dict[str, str]:
    """The text of each file, by its name."""
    return {f"{one.uid}.json": text_of(one) for one in boards(settings)}


def text_of(board: Board) -> str:
    return json.dumps(render(board), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write(settings: Settings, folder: Path = FOLDER) -> list[Path]:
    """Write every dashboard's file anew; what is no dashboard of ours (any more) goes."""
    wanted = generated(settings)
    for stale in set(folder.glob("*.json")) - {folder / name for name in wanted}:
        stale.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in wanted]


def stale(settings: Settings, folder: Path = FOLDER) -> list[str]:
    """Names of files that are not what is generated now: missing, changed, or left over."""
    wanted = generated(settings)
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
