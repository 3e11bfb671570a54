"""`plantwatch demo`: everything at work on a test fleet, and an account of every reading."""

import sys
from typing import TYPE_CHECKING, Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

import local_stack
from commands.chosen import Dataset, fleet_of, settings_for
from commands.stack import bring_up, take_down
from local_stack import state
from plantwatch.messages import ScoreEvent

if TYPE_CHECKING:
    from demo.tour import Screen
    from producers.run import Progress as Published


def demo(
    context: typer.Context,
    *,
    dataset: Dataset = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack up at the end.")] = False,
) -> None:
    """Replay a test fleet through Kafka, worker and PostgreSQL, and account for every reading.

    Starts the local stack if it is not up, trains models if there are none, replays the official
    test fleet, shows anomalies as they come, and ends with a summary and `.local/demo.json`.

    \b
    plantwatch demo
    plantwatch demo --keep --dataset FD003

    Exit code 0: every reading is in exactly one class, and every verdict is stored exactly once. 1:
    the account says what is not.
    """
    # Here, not above: pandas and pandera take seconds, which no other command should wait for.
    from demo import summary, tour

    settings = settings_for(context, dataset)
    console = Console(highlight=False)
    fleet = fleet_of(context, settings, "test")
    console.print(f"{len(fleet.slices)} machines, {len(fleet.cycle):,} readings: {fleet.source}")
    was_up = state.read(local_stack.LOCAL) is not None
    if not was_up:
        bring_up(settings, console)
    try:
        # Once more: the stack has made a password where there was none.
        running = settings_for(context, settings.training.dataset)
        with _Screen(console) as screen:
            result = tour.run(running, fleet, screen.calls())
        tour.save(result.account)
        kept = keep or was_up
        console.print("", *summary.lines(result, running, kept=kept), sep="\n", soft_wrap=True)
    finally:
        if not (keep or was_up):
            take_down(settings)
    raise typer.Exit(0 if result.account.in_order else 1)


class _Screen:
    """Progress bars on a terminal only; anomalies as lines, the first of each machine."""

    def __init__(self, console: Console) -> None:
        self._seen: set[str] = set()
        columns = TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn()
        self._bars = Progress(*columns, console=console, disable=not sys.stdout.isatty())
        self._published = self._bars.add_task("published", total=None)
        self._stored: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def calls(self) -> "Screen":
        from demo.tour import Screen

        return Screen(self._show_published, self._show_left, self._show_anomaly)

    def _show_published(self, progress: "Published") -> None:
        self._bars.update(self._published, completed=progress.published, total=progress.total)

    def _show_left(self, left: int) -> None:
        if self._stored is None:
            self._stored = self._bars.add_task("stored", total=left)
        task = self._bars.tasks[self._stored]
        self._bars.update(self._stored, completed=max(0, (task.total or left) - left))

    def _show_anomaly(self, event: ScoreEvent) -> None:
        if event.sensor_id not in self._seen:
            self._seen.add(event.sensor_id)
            self._bars.console.print(
                f"first anomaly  {event.sensor_id:<18} cycle {event.cycle:>4}  "
                f"score {event.anomaly_score:.3f}  confidence {event.confidence:.2f}"
            )
