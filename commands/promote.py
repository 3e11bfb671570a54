"""`plantwatch promote`: put a version into production, if it passes the gate."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.chosen import configs_of
from models import registry
from models.cache import Named, load, load_production
from models.fetch import fetch_digest, fetch_production
from plantwatch.configuration import environment
from plantwatch.errors import ConfigError

if TYPE_CHECKING:
    from models.onnx_detector import OnnxDetector
    from plantwatch.settings import Settings


def promote(
    context: typer.Context,
    version: Annotated[int, typer.Argument(help="The number at the end of the model's name.")],
    force: Annotated[
        str | None,
        typer.Option(help="Promote it although it is worse; the reason is kept with the version."),
    ] = None,
) -> None:
    """Put a version into production: alias and stage move, running workers swap within seconds.

    It must fit the readings, score its golden windows as when it was trained, and not be worse than
    production on the official test of its data by more than the 95 % interval of the difference.

    \b
    plantwatch models list
    plantwatch promote 3
    plantwatch promote 2 --force "version 3 alarms too late"

    Exit code 69: the registry is away. 78: it is not promoted; the line says why.
    """
    settings: Settings = context.obj
    candidate = registry.find_version(settings, version)
    fetch_digest(settings, candidate.digest)
    named = Named(digest=candidate.digest, version=version, model_version=candidate.model_version)
    detector = load(settings, named)
    mismatch = _golden(settings, version, detector)
    comparison, worse = _beside_production(settings, detector, configs_of(context))
    typer.echo(f"{candidate.model_version}: {comparison}")
    reasons = [one for one in (mismatch, comparison if worse else None) if one]
    if reasons and not force:
        raise ConfigError(
            f"{candidate.model_version} is not promoted: {'; '.join(reasons)}; give a reason with "
            "--force to promote it all the same"
        )
    registry.set_production(settings, version)
    if reasons:
        registry.set_tag(settings, version, "forced", f"{force} ({'; '.join(reasons)})")
    fetch_production(settings)
    typer.echo(f"in production: {candidate.model_version}")


def _golden(settings: "Settings", version: int, detector: "OnnxDetector") -> str | None:
    from evaluation.gate import Golden, misses_golden
    from training.tracking import GOLDEN

    with tempfile.TemporaryDirectory() as folder:
        path = registry.fetch_artifact(settings, version, GOLDEN, Path(folder))
        return misses_golden(detector, Golden.read(path))


def _beside_production(
    settings: "Settings", detector: "OnnxDetector", configs: Path
) -> tuple[str, bool]:
    """What the comparison says, and whether it speaks against the candidate."""
    from data import load as load_fleet
    from evaluation.gate import compare
    from training.dataset import cut

    if not registry.has_production(settings):
        return "there is no production model to compare with", False
    fetch_production(settings)
    test = load_fleet(detector.card.trained_on.dataset, "test", environment(), configs)
    found = compare(
        detector,
        load_production(settings),
        cut(test, settings.window.length),
        settings.anomaly.label_rul,
        settings.evaluation.bootstraps,
    )
    return f"{found} on {test.subset}, {test.source}", found.worse
