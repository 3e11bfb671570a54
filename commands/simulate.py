"""`plantwatch simulate`: made-up engines that live and fail like NASA's, and how like them."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
import yaml

from commands.chosen import SPLITS, Seeds, configs_of
from commands.tables import WIDTH, show, table
from plantwatch.configuration import environment
from plantwatch.settings import Settings

if TYPE_CHECKING:
    from data import Fleet

app = typer.Typer(
    help="Draw made-up fleets, fit them to NASA's, show how alike the two are.",
    no_args_is_help=True,
)

Dataset = Annotated[str | None, typer.Option(help="FD001 to FD004; else `training.dataset`.")]

_FAULTS: Final = {"FD001": 1, "FD002": 1, "FD003": 2, "FD004": 2}
"""Ways to fail, as NASA's own description of the files says."""


@app.command()
def fleet(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(help="Write the files here, as NASA's; else only draw.")
    ] = None,
    dataset: Dataset = None,
    engines: Annotated[
        int | None,
        typer.Option(min=1, help="In each split; else as in configs/datasets/simulated.yaml."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the draw; else as in that file.")
    ] = None,
) -> None:
    """Draw a train and a test fleet, the same for the same seed.

    A larger fleet begins with the engines of a smaller one. With CMAPSS_DIR set to FOLDER, replay,
    train and evaluate use the files.

    \b
    plantwatch simulate fleet --engines 20
    plantwatch simulate fleet .local/made-up --dataset FD002 --seed 5
    """
    from data import cmapss, datasets  # pandas takes seconds
    from data.simulate import simulate

    subset = _subset(context, dataset)
    parameters = datasets.simulated(configs_of(context), subset)
    wanted = {"engines": engines, "seed": seed}
    changes = {name: value for name, value in wanted.items() if value is not None}
    shaped = parameters.fleet.model_copy(update=changes)
    for split in SPLITS:
        started = time.perf_counter()
        drawn = simulate(parameters.model_copy(update={"fleet": shaped}), split)
        seconds = time.perf_counter() - started
        typer.echo(
            f"{subset} {split}: {shaped.engines:,} engines, {len(drawn.rul):,} rows, "
            f"drawn in {seconds:.1f} s"
        )
        if folder is not None:
            cmapss.write(drawn, folder)
    if folder is not None:
        typer.echo(f"written to {folder}; use them with CMAPSS_DIR={folder}")


@app.command()
def fit(context: typer.Context, dataset: Dataset = None) -> None:
    """Fit the parameters of made-up engines to NASA's; write configs/datasets/simulated-X.yaml.

    Healthy mean, noise and drift of each sensor in each operating regime, how engines differ at
    their start and their end, how steeply they fail, in how many ways, and how long they live.

    \b
    plantwatch simulate fit --dataset FD003
    """
    from data import datasets  # pandas takes seconds
    from training.simulation import fit_engines  # so does scikit-learn

    subset = _subset(context, dataset)
    train, test = _real(context, subset)
    engines = fit_engines(train, test, _FAULTS[subset], context.ensure_object(Settings))
    path = datasets.engines_file(configs_of(context), subset)
    text = yaml.safe_dump(
        engines.model_dump(mode="json"), sort_keys=False, default_flow_style=None, width=WIDTH
    )
    header = (
        f"# How the engines of {subset} live and fail, from {train.source}, as written by\n"
        f"# `plantwatch simulate fit --dataset {subset}`; data/simulate.py has the meaning.\n\n"
    )
    path.write_text(header + text, encoding="utf-8")
    regimes = len(engines.operation.regimes)
    typer.echo(
        f"{subset}: {len(train.slices)} engines, {regimes} operating regime{'s' * (regimes > 1)}, "
        f"{_FAULTS[subset]} way{'s' * (_FAULTS[subset] > 1)} to fail, "
        f"steepness {engines.wear.steepness:g}; written to {path}"
    )


@app.command()
def check(
    context: typer.Context,
    dataset: Dataset = None,
    seeds: Seeds = None,
) -> None:
    """Fit detectors on made-up engines and judge them on NASA's, and the other way round.

    Two that are fitted in seconds, on as many engines as the simulated fleet has by configuration.

    \b
    plantwatch simulate check --dataset FD001 --seeds 1
    """
    from data import datasets  # these take seconds to import
    from data.lookup import NASA
    from data.simulate import simulate
    from evaluation.transfer import transfers

    settings, subset = context.ensure_object(Settings), _subset(context, dataset)
    parameters = datasets.simulated(configs_of(context), subset)
    real = _real(context, subset)
    made_up = simulate(parameters, "train"), simulate(parameters, "test")
    name = "NASA" if {one.source for one in real} == {NASA} else "files"
    fleets = {name: real, "simulated": made_up}
    document = transfers(fleets, settings, seeds or settings.evaluation.seeds)
    path = Path(f".local/evaluation/{subset}-transfer.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    _print(document)
    typer.echo(f"written to {path}")


def _subset(context: typer.Context, dataset: str | None) -> str:
    from data.cmapss import check_subset  # pandas takes seconds

    subset = dataset or context.ensure_object(Settings).training.dataset
    check_subset(subset)
    return subset


def _real(context: typer.Context, subset: str) -> tuple["Fleet", "Fleet"]:
    """Both splits from files: a simulation is not held against a simulation by mistake."""
    from data.lookup import load_files  # pandas takes seconds

    train, test = (load_files(subset, one, environment(), configs_of(context)) for one in SPLITS)
    return train, test


def _print(document: dict[str, Any]) -> None:
    title = f"{document['dataset']}, failing = RUL < {document['label_rul']}"
    columns = ("fitted on", "judged on", "model", "F1", "95 %", "ROC", "PR")
    shown = table(*columns, title=title)
    for row in document["rows"]:
        shown.add_row(
            row["fitted_on"],
            row["judged_on"],
            row["model"].replace("_", " "),
            f"{row['f1_mean']:.3f} ±{row['f1_sd']:.3f}",
            f"{row['f1_low']:.2f}-{row['f1_high']:.2f}",
            f"{row['auc_roc']:.4f}",
            f"{row['auc_pr']:.4f}",
        )
    show(shown)
