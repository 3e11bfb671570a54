"""`plantwatch explain`: why a stored verdict is what it is."""

from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from commands.reproduce import stored_rows
from commands.tables import show, table
from plantwatch.errors import PlantwatchError
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from models.card import LifeAtScore
    from reproduce.explanation import Explanation
    from reproduce.stored import Row

_BAR: Final = 40


def explain(
    context: typer.Context,
    sensor_id: Annotated[str, typer.Option(help="The machine, such as FD001-engine-001.")],
    cycle: Annotated[int, typer.Option(help="The cycle of the window's last reading.")],
) -> None:
    """Show which sensors a stored verdict is made of, and how long machines had at this score.

    The window is read from Kafka again and judged by the model that the verdict names. A sensor's
    contribution is what it adds to the raw score; they sum to it. High speaks for an anomaly.

    \b
    plantwatch explain --sensor-id FD001-engine-034 --cycle 185

    Exit code 65: the readings are gone (retention) or others. 69, 78: the model, or a server, is
    nowhere.
    """
    settings = context.ensure_object(Settings)
    rows = stored_rows(settings, sensor_id, cycle)
    raise typer.Exit(max(_shown(settings, row) for row in rows))


def _shown(settings: Settings, row: "Row") -> int:
    """Explain one row; the exit code. Whatever it is, the other rows follow."""
    from reproduce import explanation

    try:
        found = explanation.explain(settings, row)
    except PlantwatchError as error:
        typer.echo(f"plantwatch: {error}", err=True)
        return error.exit_code
    show(_table(found))
    typer.echo("\n".join(_summary(found)))
    return 0


def _table(found: "Explanation") -> Table:
    title = f"{found.row.sensor_id}, cycle {found.row.cycle}, {found.row.model_version}"
    shown = table("sensor", "adds to raw", "", title=title, right=(1,))
    largest = max(abs(value) for _, value in found.contributions) or 1.0
    for sensor, value in found.contributions:
        shown.add_row(str(sensor), f"{value:+.3f}", bar(value / largest))
    return shown


def bar(share: float) -> str:
    """A bar for a share in [-1, 1]; what speaks against an anomaly is hollow.

    >>> bar(0.1), bar(-0.1)
    ('████', '░░░░')
    """
    return ("█" if share > 0 else "░") * round(abs(share) * _BAR)


def _summary(found: "Explanation") -> "list[str]":
    verdict = found.verdict
    threshold = "" if found.threshold is None else f", threshold {found.threshold:.3f}"
    lines = [
        f"raw         {verdict.raw[0]:.3f}, the sum of the above{threshold}",
        f"score       {verdict.anomaly_score[0]:.3f}, "
        + ("anomalous" if verdict.is_anomaly[0] else "normal"),
        f"confidence  {verdict.confidence[0]:.2f}",
        f"life        {_life(found.life)}",
    ]
    if verdict.unseen_regime is not None and verdict.unseen_regime[0]:
        lines.append("regime      unseen in training: the score means little")
    return lines


def _life(life: "LifeAtScore | None") -> str:
    if life is None:
        return "not told by this model's card; train it again"
    return (
        f"{life.median:.0f} cycles, the median of training machines at this score; "
        f"90 % had {life.low:.0f} to {life.high:.0f}"
    )
