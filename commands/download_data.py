"""`plantwatch download-data`: NASA's C-MAPSS files from the network."""

import sys
from typing import Self

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from commands.chosen import configs_of


def download_data(context: typer.Context) -> None:
    """Download NASA's C-MAPSS files into data/raw, each checked by its sha256.

    12 MB, from NASA or else from a mirror; configs/datasets/cmapss.yaml has the addresses. Without
    a network, put the files into any folder and set CMAPSS_DIR to it; without files, replay and
    train use a simulated fleet and say so.
    """
    from data import datasets  # pandas takes seconds
    from data.download import download

    cmapss = datasets.cmapss(configs_of(context))
    with _Bar() as bar:
        folder = download(cmapss, bar)
    print(f"{len(cmapss.files)} files in {folder}, each checked by its sha256.")


class _Bar:
    """The bar that pooch moves, drawn by rich, on a terminal only."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("C-MAPSS"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @property
    def total(self) -> float | None:
        return self._progress.tasks[0].total

    @total.setter
    def total(self, size: float | None) -> None:
        self._progress.update(self._task, total=size)

    def update(self, size: int) -> None:
        self._progress.update(self._task, advance=size)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """Nothing to do: the block that draws the bar ends it."""
